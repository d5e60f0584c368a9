"""Pulumi as this checkout uses it: state, plugins and passphrase in .stacklab, programs from the artifact store.

`prepare()` makes it ready and returns the variables under which a plain `pulumi up` works; `stacklab env` prints them.
A fitting Pulumi on PATH is used as it is; else the store's one, by hard links in .stacklab/bin. The backend is a
folder of this checkout until the user says otherwise by `pulumi login`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from modules import artifacts
from modules.base import paths
from modules.base.errors import ArtifactError, CommandError, StacklabError
from modules.base.shell import run

OLDEST = (3, 250)
PULUMI_TOOLS = (
    "pulumi",
    "pulumi-language-python",
    "pulumi-language-python-exec",
    "pulumi-resource-pulumi-python",
)
LAB_TOOLS = ("kubectl", "kind")
LONGEST_RUN = 3600  # seconds
KUBERNETES_PLUGIN = "pulumi-resource-kubernetes"
KUBERNETES_PLUGIN_VERSION = "4.18.1"  # that of pulumi-kubernetes in pyproject.toml; a test holds them equal


def folder() -> Path:
    """PULUMI_HOME: plugins, login, workspaces."""
    return paths.work() / "pulumi"


def tools() -> Path:
    """The folder of links that goes on PATH."""
    return paths.work() / "bin"


def prepare() -> dict[str, str]:
    """Make everything ready, and return the environment that `pulumi` needs. Running it again changes nothing."""
    for each in (folder(), tools(), _state()):
        each.mkdir(parents=True, exist_ok=True)
    _clear(paths.scratch())
    ours = fitting_pulumi() is None
    for name in PULUMI_TOOLS:
        if ours:
            link(tools() / name, artifacts.binary(name))
        else:
            (tools() / name).unlink(missing_ok=True)  # it would hide theirs
    for name in LAB_TOOLS:
        with contextlib.suppress(ArtifactError):  # a lab of another backend needs no kind
            link(tools() / name, artifacts.binary(name))
    with contextlib.suppress(ArtifactError):  # Pulumi fetches it when it can; the warning about PATH is all one loses
        _install_kubernetes_plugin(artifacts.binary(KUBERNETES_PLUGIN))
    make_passphrase(_passphrase())
    log_in(folder() / "credentials.json", _state())
    return environment()


def environment() -> dict[str, str]:
    """The variables for `pulumi`, as they must be set; what the user has set on purpose stays."""
    env = {
        "PATH": path_with([Path(sys.executable).parent, tools()], os.environ.get("PATH", "")),
        "PULUMI_HOME": str(folder()),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # Pulumi's own, four for each core, are soon taken by those that wait, and a machine cannot join meanwhile.
        "PULUMI_PARALLEL": os.environ.get("PULUMI_PARALLEL", "32"),
        # The Kubernetes provider writes the kubeconfig of each run into a temporary file, and leaves it there.
        paths.SCRATCH: str(paths.scratch()),
        # kubectl's memory of what each cluster serves; its own place for it is the user's.
        "KUBECACHEDIR": str(paths.kubectl_memory()),
        # gRPC's own handlers break a fork beside its threads, and our programs are started by forks (docs/decisions).
        "GRPC_ENABLE_FORK_SUPPORT": "false",
    }
    if "PULUMI_CONFIG_PASSPHRASE" not in os.environ:
        env["PULUMI_CONFIG_PASSPHRASE_FILE"] = os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE") or str(_passphrase())
    return env


def stack_outputs(stack: str) -> dict[str, Any]:
    """What `pulumi stack output` shows; secrets stay hidden."""
    env = prepare()
    hint = f"bring the lab up first: make up STACK={stack}"
    try:
        result = run(
            [pulumi_binary(), "stack", "output", "--json", "--non-interactive", "--stack", stack],
            timeout=60,
            env=env,
            cwd=paths.checkout(),
            where=f"stack {stack}",
            hint=hint,
            redact=backend_passwords(),
        )
    except CommandError as error:
        if "no stack named" in error.output:
            raise StacklabError(f"no lab of this name is up: {stack}", hint=hint) from None
        raise
    outputs: dict[str, Any] = json.loads(result.stdout)
    return outputs


def pulumi_binary() -> Path:
    """The `pulumi` that our environment finds."""
    return fitting_pulumi() or tools() / "pulumi"


def fitting_pulumi() -> Path | None:
    """A Pulumi on PATH that is new enough and has its Python host beside it; our own links do not count."""
    ours = tools()
    search = os.pathsep.join(p for p in os.environ.get("PATH", "").split(os.pathsep) if p and Path(p) != ours)
    found, host = (shutil.which(name, path=search) for name in ("pulumi", "pulumi-language-python"))
    if not found or not host:
        return None
    try:
        answer = run([found, "version"], timeout=20, env={"PULUMI_SKIP_UPDATE_CHECK": "true"})
    except CommandError:
        return None
    return Path(found) if new_enough(answer.stdout) else None


def new_enough(version: str) -> bool:
    """Whether `pulumi version` printed at least OLDEST."""
    match = re.match(r"v?(\d+)\.(\d+)\.", version.strip())
    return bool(match) and tuple(int(n) for n in match.groups()) >= OLDEST if match else False


def path_with(first: list[Path], path: str) -> str:
    """PATH with `first` in front, each folder once."""
    front = [str(p) for p in first]
    return os.pathsep.join([*front, *(p for p in path.split(os.pathsep) if p and p not in front)])


def link(at: Path, target: Path) -> None:
    """Make `at` another name of the file `target`, atomically; one that is right already is left alone.

    Not a symbolic link: Pulumi looks for its helpers beside the file that a link leads to. On another disk, a copy.
    """
    if at.exists() and not at.is_symlink() and _same(at, target):
        return
    fresh = at.with_name(f".{at.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        os.link(target, fresh)
    except OSError:
        shutil.copy2(target, fresh)
    fresh.replace(at)


def _same(one: Path, other: Path) -> bool:
    """One file under two names, or a copy of it: copy2 keeps the time."""
    mine, theirs = one.stat(), other.stat()
    return one.samefile(other) or (mine.st_size, mine.st_mtime_ns) == (theirs.st_size, theirs.st_mtime_ns)


def make_passphrase(at: Path) -> None:
    """Write a random passphrase once, readable by its owner only; two at the same time agree on one."""
    if at.exists():
        return
    fresh = at.with_name(f".{at.name}.{os.getpid()}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    try:
        fresh.write_text(secrets.token_urlsafe(32) + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(fresh, at)
    finally:
        fresh.unlink()


def log_in(credentials: Path, state: Path) -> None:
    """Choose the folder backend unless some backend was chosen already, the way `pulumi login` notes it."""
    known: Mapping[str, Any] = {}
    if credentials.exists():
        known = json.loads(credentials.read_text() or "{}")
    if known.get("current"):
        return
    url = f"file://{state}"
    fresh = credentials.with_name(f".{credentials.name}.{os.getpid()}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    accounts = {**(known.get("accounts") or {}), url: {"lastValidatedAt": "0001-01-01T00:00:00Z"}}
    fresh.write_text(json.dumps({**known, "current": url, "accounts": accounts}, indent=4))
    fresh.replace(credentials)


def backend() -> str:
    """The URL of the backend that is in use; "" before the first login."""
    credentials = folder() / "credentials.json"
    known = json.loads(credentials.read_text() or "{}") if credentials.exists() else {}
    return os.environ.get("PULUMI_BACKEND_URL") or str(known.get("current") or "")


def backend_passwords() -> list[str]:
    """What a user put into the backend's URL and nobody else should read; PGPASSFILE is the better place for it."""
    found = backend().rpartition("@")[0].partition("://")[2].partition(":")[2]
    return list(dict.fromkeys((found, unquote(found)))) if found else []


def _clear(scratch: Path) -> None:
    """Remove what earlier runs left; one that goes on in another window keeps its own."""
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in scratch.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another command clears as well
            if file.is_file() and time.time() - file.stat().st_mtime > LONGEST_RUN:
                file.unlink()


def _state() -> Path:
    return paths.work() / "state"


def _passphrase() -> Path:
    return paths.work() / "passphrase"


def _install_kubernetes_plugin(binary: Path) -> None:
    """What `pulumi plugin install --file` leaves, by a link: a folder with the binary, and an empty lock beside it."""
    name = f"resource-kubernetes-v{KUBERNETES_PLUGIN_VERSION}"
    plugin = folder() / "plugins" / name
    plugin.mkdir(parents=True, exist_ok=True)
    (plugin.parent / f"{name}.lock").touch()
    link(plugin / KUBERNETES_PLUGIN, binary)
