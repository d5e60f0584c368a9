"""The container engine that really works here: docker when it does, else podman, with the environment it needs.

`choose()` tries for real once and remembers the answer under the cache; a remembered answer holds as long as nothing
that it depended on has changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from modules.base import locks, paths, shell
from modules.base.errors import CommandError, HostError
from modules.host import containers_conf, facts, trial
from modules.host.facts import HostFacts

Name = Literal["podman", "docker"]
WISH = "STACKLAB_ENGINE"  # docker | podman: use this one or none


@dataclass(frozen=True)
class Engine:
    """A container engine and the environment every call of it (by us, kind or minikube) must have."""

    name: Name
    binary: str
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, *args: str, timeout: float, **kw: Any) -> shell.Result:
        """One call of the engine through modules.base.shell.run, which takes the rest of the keywords."""
        env = {**self.env, **kw.pop("env", {})}
        return shell.run([self.binary, *args], timeout=timeout, env=env, **kw)


@dataclass(frozen=True)
class Trial:
    """How one engine did: reason is empty when it works."""

    engine: Engine
    reason: str


def choose(name: Name | None = None) -> Engine:
    """The engine that labs of this host run on; HostError with what each one said when none works.

    With a name it is that one or none: a lab that was made with podman stays with podman when docker appears.
    """
    wish = name or os.environ.get(WISH)
    trials = survey(wish)
    for one in trials:
        if not one.reason:
            return one.engine
    said = "\n".join(f"{t.engine.name} ({t.engine.binary}): {t.reason}" for t in trials)
    raise HostError(
        f"{wish} does not work here" if wish else "no container engine works here",
        output=said or (f"{wish} is not installed" if wish else "neither docker nor podman is installed"),
        hint="`stacklab doctor` names the command that mends it",
    )


def survey(wish: str | None = None, *, afresh: bool = False) -> tuple[Trial, ...]:
    """What was found out about each installed engine, up to the first that works."""
    now = facts.read()
    key = _key(now)
    memory = _folder() / f"engine-{wish or 'auto'}.json"
    with locks.alone(_folder() / "engine.lock"):
        if not afresh and (known := _recall(memory, key)) is not None:
            return known
        trials: list[Trial] = []
        for engine in _candidates(wish, now):
            trials.append(Trial(engine, _try(engine, now)))
            if not trials[-1].reason:
                break
        if any(not t.reason for t in trials):
            _remember(memory, key, trials)
        else:
            memory.unlink(missing_ok=True)
        return tuple(trials)


def _candidates(wish: str | None, now: HostFacts) -> Iterator[Engine]:
    docker, podman = shutil.which("docker"), shutil.which("podman")
    if docker and wish != "podman":
        yield Engine("docker", docker)
    if podman and wish != "docker":
        yield Engine("podman", podman, _podman_env(podman, now))


def _podman_env(podman: str, now: HostFacts) -> dict[str, str]:
    said = shell.run([podman, "--version"], timeout=10, check=False).stdout
    text = containers_conf.render(now, runc=shutil.which("runc") is not None)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    # Named by its contents: a lab that runs keeps the file it was made with.
    target = paths.cache() / "host" / f"containers-{digest}.conf"
    _write(target, text)
    return {containers_conf.variable(parse_version(said)): str(target)}


def parse_version(text: str) -> tuple[int, ...]:
    """The first dotted number in a program's --version output."""
    found = re.search(r"\d+(\.\d+)+", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _try(engine: Engine, now: HostFacts) -> str:
    try:
        if engine.name == "docker":
            trial.refuse_unfit_docker(engine.run)
            trial.try_docker(engine.run, now.machine)
        elif not now.root:
            return "podman as this user is rootless: machines' addresses cannot be reached from this host"
        else:
            trial.try_podman(engine.run, now.machine, _folder())
    except CommandError as error:
        last = error.output.strip().splitlines()[-1:]
        return " ".join([error.what, *last])
    except HostError as error:
        return error.what
    return ""


def _key(now: HostFacts) -> str:
    """Everything a remembered answer depends on, without starting a program."""
    depends: list[object] = [os.environ.get("DOCKER_HOST"), now.root, now.kernel, now.cgroup]
    depends += [now.nofile, now.nproc, sorted(now.capabilities), now.systemd, Path("/var/run/docker.sock").exists()]
    for program in ("docker", "podman", "runc", "crun", "iptables"):
        found = shutil.which(program)
        depends.append([found, Path(found).stat().st_mtime_ns] if found else None)
    return hashlib.sha256(json.dumps(depends).encode()).hexdigest()


def _folder() -> Path:
    folder = paths.cache() / "host"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _recall(memory: Path, key: str) -> tuple[Trial, ...] | None:
    try:
        known = json.loads(memory.read_text())
        if known["key"] != key:
            return None
        trials = tuple(Trial(Engine(**t["engine"]), t["reason"]) for t in known["trials"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    files = [value for t in trials for value in t.engine.env.values()]
    return trials if all(Path(f).exists() for f in files) else None


def _remember(memory: Path, key: str, trials: list[Trial]) -> None:
    _write(memory, json.dumps({"key": key, "trials": [asdict(t) for t in trials]}, indent=1))


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    part.write_text(text)
    part.replace(target)
