"""The life of one kind cluster: create (or adopt what an interrupted run left), look, start, delete.

Every step looks first: what is there, whose it is, and whether it is what was asked for.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modules.artifacts.machine import registries
from modules.base import kubeconfig, probe, shell
from modules.base.errors import CommandError, StacklabError
from modules.host.engine import Engine
from modules.host.facts import NodeHost
from modules.leases import leaders
from modules.local import containers, owner
from modules.local.busy import nobody_else_at_work
from modules.local.containers import Container
from modules.local.kind import config, evidence, files, marks, shim
from modules.local.kind.config import Tags
from modules.local.kind.files import LabFiles
from modules.local.kind.spec import ClusterSpec, Node
from modules.local.lifecycle import bring_back

CREATE = 600.0  # kubeadm itself gives up after four minutes
API = 120.0
RUNNING, MISSING = "running", "missing"


@dataclass(frozen=True)
class Lab:
    """A spec together with everything of this host that making it needs."""

    spec: ClusterSpec
    engine: Engine
    kind: Path
    host: NodeHost
    tags: Tags
    owner: str

    @property
    def files(self) -> LabFiles:
        return files.of(self.spec.stack)


@dataclass(frozen=True)
class Made:
    """A cluster that answers."""

    kubeconfig: str
    endpoint: str
    generation: str
    adopted: bool


def create(lab: Lab) -> Made:
    """Make the cluster, or adopt the one that an interrupted run of this checkout finished."""
    text = config.render(lab.spec, lab.host, lab.tags, lab.files.hosts)
    digest = _digest(lab.spec, text)
    with nobody_else_at_work(lab.files.lock, lab.spec.name, timeout=CREATE):
        found = _found(lab.engine, lab.spec)
        containers.refuse_strangers(found, lab.owner, lab.engine, lab.spec.name)
    adopted = _whole(lab, found, digest)
    if adopted:
        bring_back(lab.engine, found)
    else:
        _remove_own(lab.engine, lab.spec.stack, lab.spec.name, lab.owner)
        _need_network(lab)
        _run_kind(lab, text, digest)
    made = _made(lab, adopted=adopted)
    set_marks(lab.engine, lab.spec, before=())
    return made


def look(engine: Engine, spec: ClusterSpec, owner_id: str) -> dict[str, str]:
    """How each of the cluster's containers is: its state in the engine's words, `missing` when we have none."""
    ours = {c.name: c for c in _found(engine, spec) if c.owner == owner_id}
    states = {}
    for node in spec.containers:
        container = ours.get(node.name)
        states[node.name] = _state(container, node, spec.network) if container else MISSING
    return states


def revive(engine: Engine, spec: ClusterSpec, owner_id: str, text: str, before: Sequence[Node]) -> Made:
    """The cluster as the spec wants it, as far as that goes without a new one: started, reachable, labelled."""
    found = [c for c in _found(engine, spec) if c.owner == owner_id]
    rested_until = bring_back(engine, found)
    lab_files = files.of(spec.stack)
    if not lab_files.kubeconfig.exists() or lab_files.kubeconfig.read_text() != text:
        kubeconfig.write(lab_files.kubeconfig, text)
    access = kubeconfig.read(text)
    kubeconfig.wait_for_api(access, timeout=API, where=spec.name, hint=f"{engine.name} logs {spec.masters[0].name}")
    leaders.release(lab_files.kubeconfig, rested_until, where=spec.name)
    set_marks(engine, spec, before)
    return Made(text, access.endpoint, access.generation, adopted=True)


def delete(engine: Engine, stack: str, name: str, owner_id: str) -> None:
    """Remove the lab's containers, volumes and files; what is gone already is fine, a stranger's is left alone."""
    lab_files = files.of(stack)
    _remove_own(engine, stack, name, owner_id)
    # A kind that outlived a killed `up` notices that its nodes are gone and ends; what it still made goes too.
    with nobody_else_at_work(lab_files.lock, name, timeout=CREATE):
        _remove_own(engine, stack, name, owner_id)
    lab_files.remove()


def set_marks(engine: Engine, spec: ClusterSpec, before: Sequence[Node]) -> None:
    """Labels and taints of the Kubernetes nodes."""
    if not marks.needed(spec, before):
        return

    def kubectl(*words: str) -> str:
        master = spec.masters[0].name
        call = ("exec", master, "kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", *words)
        return engine.run(*call, timeout=60, where=spec.name).stdout

    def look_up() -> probe.Answer[dict[str, marks.Actual]]:
        actual = marks.parse(json.loads(kubectl("get", "nodes", "-o", "json")))
        absent = [node.name for node in spec.nodes if node.name not in actual]
        return probe.Answer(None if absent else actual, f"not yet: {', '.join(absent)}")

    # kubeadm's join ends when kubelet runs, which may be before it has told the API of its node.
    hint = f"{engine.name} exec {spec.nodes[-1].name} journalctl -u kubelet"
    actual = probe.wait_for("every node is known to the API", look_up, timeout=API, where=spec.name, hint=hint)
    for call in marks.commands(spec, before, actual):
        kubectl(*call)


def _digest(spec: ClusterSpec, text: str) -> str:
    addresses = [[c.name, c.address] for c in spec.containers]
    mirrors = [registries.hosts(spec.registries)] if spec.registries else []
    return hashlib.sha256(json.dumps([text, addresses, spec.network, *mirrors]).encode()).hexdigest()[:16]


def _found(engine: Engine, spec: ClusterSpec) -> list[Container]:
    names = [c.name for c in spec.containers]
    return containers.find(engine, names=names, label=f"{containers.CLUSTER}={spec.name}")


def _state(container: Container, node: Node, network: str) -> str:
    address = container.addresses.get(network, "")
    if container.running and address != node.address:
        return f"{RUNNING} at {address or 'no address of the lab'}"
    return container.state


def _whole(lab: Lab, found: Sequence[Container], digest: str) -> bool:
    """kind writes the kubeconfig last, and we remove it first: with it there, that kind came to its end."""
    complete = {c.name for c in found} == {c.name for c in lab.spec.containers}
    return complete and all(c.configuration == digest for c in found) and lab.files.kubeconfig.exists()


def _need_network(lab: Lab) -> None:
    # kind would make one of its own, with other ranges.
    if containers.network(lab.engine, lab.spec.network) is None:
        raise StacklabError(
            f"the network {lab.spec.network} is gone",
            where=lab.spec.name,
            command=f"{lab.engine.name} network ls",
            hint="pulumi refresh, then pulumi up",
        )


def environment(lab: Lab) -> dict[str, str]:
    """What kind must have in its environment."""
    engine = lab.engine.name
    return {
        **lab.engine.env,
        "KIND_EXPERIMENTAL_PROVIDER": engine,
        f"KIND_EXPERIMENTAL_{engine.upper()}_NETWORK": lab.spec.network,
        "PATH": f"{lab.files.bin}{os.pathsep}{os.environ.get('PATH', '')}",
    }


def _run_kind(lab: Lab, text: str, digest: str) -> None:
    labels = {**owner.marks(lab.spec.stack, lab.owner), owner.CONFIGURATION: digest}
    if lab.host.modules_dir:
        lab.host.modules_dir.mkdir(parents=True, exist_ok=True)
    script = shim.render(
        lab.spec, engine=lab.engine.name, binary=lab.engine.binary, labels=labels, modules=lab.host.modules_dir
    )
    lab.files.write_inputs(text, lab.engine.name, script, registries.hosts(lab.spec.registries))
    lab.files.kubeconfig.unlink(missing_ok=True)
    # --retain: a kind that fails late must not remove the nodes that a newer run has made.
    call: list[str | Path] = ["create", "cluster", "--name", lab.spec.name, "--config", lab.files.config]
    call += ["--kubeconfig", lab.files.kubeconfig, "--wait", "0s", "--retain"]
    # flock keeps the lock for as long as kind runs, also when we are killed; -o: no container inherits it.
    lock: list[str | Path] = ["flock", "--close", lab.files.lock]
    try:
        shell.run([*lock, lab.kind, *call], env=environment(lab), timeout=CREATE, where=lab.spec.name)
    except CommandError as error:
        raise _failed(lab, error) from None
    lab.files.kubeconfig.chmod(0o600)


def _failed(lab: Lab, error: CommandError) -> CommandError:
    """Keep the evidence, clean up, and say where it is."""
    left = [c for c in _found(lab.engine, lab.spec) if c.owner == lab.owner]
    kept = evidence.keep(lab.engine, left, error.output, lab.files.logs)
    _remove_own(lab.engine, lab.spec.stack, lab.spec.name, lab.owner)
    lab.files.kubeconfig.unlink(missing_ok=True)
    return CommandError(
        "kind could not make the cluster" if error.code is not None else error.what,
        code=error.code,
        command=error.command,
        output=evidence.gist(error.output),
        where=lab.spec.name,
        hint=f"read {', '.join(str(k) for k in kept[:2])}; `stacklab doctor` says what this host lacks",
    )


def _made(lab: Lab, *, adopted: bool) -> Made:
    text = lab.files.kubeconfig.read_text()
    access = kubeconfig.read(text)
    hint = f"{lab.engine.name} logs {lab.spec.masters[0].name}"
    kubeconfig.wait_for_api(access, timeout=API, where=lab.spec.name, hint=hint)
    return Made(text, access.endpoint, access.generation, adopted)


def _remove_own(engine: Engine, stack: str, name: str, owner_id: str) -> None:
    by_stack = containers.find(engine, label=f"{owner.STACK}={stack}")
    by_name = containers.find(engine, label=f"{containers.CLUSTER}={name}")
    ours = {c.id: c for c in (*by_stack, *by_name) if c.owner == owner_id}
    containers.remove(engine, list(ours.values()))
    containers.remove_volumes(engine, stack, owner_id)
