"""The life of one minikube profile: create (or adopt what an interrupted run finished), look, change, delete.

Every step looks first: what is there, whose it is, and whether it is what was asked for. A profile that an interrupted
run left half made is made anew; one that was whole is changed in place, and a change that was cut goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
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
from modules.local.kind import marks
from modules.local.kind.driver import MISSING, RUNNING, Made
from modules.local.kind.spec import Node
from modules.local.lifecycle import bring_back
from modules.local.minikube import balancer, bring, command, evidence, files, profile, shim
from modules.local.minikube.files import LabFiles
from modules.local.minikube.spec import Profile

START = 900.0  # several machines, one after the other
API = 120.0
CONTROL_PLANE = "control-plane.minikube.internal"
API_SERVER = "/etc/kubernetes/manifests/kube-apiserver.yaml"
KUBEADM_CONFIG = "/var/tmp/minikube/kubeadm.yaml"  # noqa: S108  on the machine, where minikube keeps it
MASTER_UPGRADE = ("upgrade", "node", "phase", "control-plane", "--certificate-renewal=false")
KEEP = "/run/stacklab-keep"  # looked at by our kubeadm on the machine
REPOSITORY = "/etc/stacklab/image-repository"  # this too


@dataclass(frozen=True)
class Lab:
    """A profile together with everything of this host that making it needs.

    cached: what minikube would download for itself, by name; machine: this host's architecture in the kernel's words;
    balancer: the image of the container in front of several masters; brought: images that are not in the machines' own.
    """

    profile: Profile
    engine: Engine
    host: NodeHost
    owner: str
    minikube: Path
    kubectl: Path
    cached: Mapping[str, Path] = field(default_factory=dict)
    machine: str = "x86_64"
    balancer: str = ""
    brought: Mapping[str, Path] = field(default_factory=dict)

    @property
    def files(self) -> LabFiles:
        return files.of(self.profile.cluster.stack)


def create(lab: Lab) -> Made:
    """Make the profile, or adopt the one that an interrupted run of this checkout finished."""
    digest = _digest(lab.profile)
    with nobody_else_at_work(lab.files.lock, lab.profile.name, timeout=START):
        found = _found(lab.engine, lab.profile)
        containers.refuse_strangers(found, lab.owner, lab.engine, lab.profile.name)
    adopted = _whole(lab, found, digest)
    if adopted:
        bring_back(lab.engine, found)
    else:
        _remove_own(lab.engine, lab.profile.cluster.stack, lab.owner)
        lab.files.remove()
        _need_network(lab)
        _start(lab, digest)
    return _made(lab, adopted=adopted)


def look(engine: Engine, wanted: Profile, owner_id: str) -> dict[str, str]:
    """How each machine is: its container's state in the engine's words, `missing` when we have none."""
    ours = {c.name: c for c in _found(engine, wanted) if c.owner == owner_id}
    every = wanted.cluster.containers
    return {n.name: _state(ours[n.name], n, wanted) if n.name in ours else MISSING for n in every}


def change(lab: Lab, text: str, before: Sequence[Node], parcel: bring.Parcel) -> Made:
    """The profile as it is wanted now, in place: started, of this version, with these machines, reachable, marked."""
    wanted, name = lab.profile, lab.profile.name
    with nobody_else_at_work(lab.files.lock, name, timeout=START):
        found = [c for c in _found(lab.engine, wanted) if c.owner == lab.owner]
        rested_until = bring_back(lab.engine, found)
        _balance(lab, _digest(wanted))
        if not lab.files.kubeconfig.exists() or lab.files.kubeconfig.read_text() != text:
            kubeconfig.write(lab.files.kubeconfig, text)
        _heal_own(lab, text)
        _wait(lab, text)
        leaders.release(lab.files.kubeconfig, rested_until, where=name)
    known = profile.read(lab.files.profile(name), name)
    if known is None:
        raise StacklabError(
            "minikube's own files of this lab are gone",
            where=name,
            command=f"ls {lab.files.profile(name)}",
            hint="pulumi destroy, then pulumi up: the lab is made anew",
        )
    digest = _digest(wanted)
    _prepare(lab, digest)
    _without_kube_vip(lab, found)
    for node in _leaving(known, wanted):
        _minikube(lab, command.delete_node(wanted, node))
    there = {c.name for c in found}
    lost = [n for n in known.nodes if n not in there and n in {w.name for w in wanted.nodes}]
    for node in lost:
        _forget(lab, node)
    stays = [c for c in found if c.name in {n.name for n in wanted.nodes}]
    bring.bring(lab.engine, [c.name for c in stays], parcel)
    # With the official image another version is a new cluster.
    stale = (known.kubernetes, known.image) != (wanted.cluster.kubernetes, wanted.cluster.image)
    if (stale and wanted.own_image) or lost:
        if wanted.cluster.balancer:
            # Restarting a master of several, minikube names that one's address here and loses what is embedded.
            kubeconfig.write(lab.files.own_kubeconfig, lab.files.access(name, kubeconfig.read(text).endpoint))
        _restart(lab, [c.name for c in stays])
    _renew_masters(lab, {c.name for c in stays})
    _renew_kubelets(lab)
    for new in wanted.nodes:
        if new.name not in known.nodes:
            _minikube(lab, command.add_node(wanted, new))
    return _made(lab, adopted=True, before=before)


def delete(engine: Engine, stack: str, name: str, owner_id: str) -> None:
    """Remove the lab's containers, volumes and files; what is gone already is fine, a stranger's is left alone."""
    lab_files = files.of(stack)
    _remove_own(engine, stack, owner_id)
    # A minikube that outlived a killed `up` notices that its machines are gone and ends; what it still made goes too.
    with nobody_else_at_work(lab_files.lock, name, timeout=START):
        _remove_own(engine, stack, owner_id)
    lab_files.remove()


def environment(lab: Lab) -> dict[str, str]:
    """What minikube must have in its environment."""
    here = lab.files
    return command.environment(here.home, here.own_kubeconfig, os.environ.get("PATH", ""), here.bin, lab.engine.env)


def _digest(wanted: Profile) -> str:
    words: list[object] = [command.start(wanted), [[n.name, n.address] for n in wanted.nodes]]
    words += [texts] if (texts := synced(wanted)) else []
    if front := balancer.wanted(wanted.cluster):
        words.append(front.address)
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:16]


def _found(engine: Engine, wanted: Profile) -> list[Container]:
    by_stack = containers.find(
        engine, names=[n.name for n in wanted.cluster.containers], label=f"{owner.STACK}={wanted.cluster.stack}"
    )
    return [c for c in by_stack if not c.name.endswith("-preload-sidecar")]


def _state(container: Container, node: Node, wanted: Profile) -> str:
    address = container.addresses.get(wanted.cluster.network, "")
    if container.running and address != node.address:
        return f"{RUNNING} at {address or 'no address of the lab'}"
    return container.state


def _whole(lab: Lab, found: Sequence[Container], digest: str) -> bool:
    """Our copy of the kubeconfig is written last, and removed first: with it there, minikube came to its end."""
    complete = {c.name for c in found} == {n.name for n in lab.profile.cluster.containers}
    return complete and all(c.configuration == digest for c in found) and lab.files.kubeconfig.exists()


def _leaving(known: profile.Known, wanted: Profile) -> list[str]:
    """Machines that are not wanted any more, the last first."""
    names = {n.name for n in wanted.nodes}
    return [name for name in reversed(known.nodes) if name not in names]


def _restart(lab: Lab, machines: Sequence[str]) -> None:
    """Let minikube bring the profile to its version. What it cannot restart it would make anew, without the data."""
    for machine in machines:
        lab.engine.run("exec", machine, "touch", KEEP, timeout=60, where=machine)
    try:
        _minikube(lab, command.start(lab.profile))
    finally:
        for machine in machines:
            lab.engine.run("exec", machine, "rm", "-f", KEEP, timeout=60, check=False)


def _renew_masters(lab: Lab, there: Collection[str]) -> None:
    """minikube brings the first master to a version and leaves what the others run: kubeadm does those, one by one."""
    first, *others = lab.profile.cluster.masters
    version = lab.profile.cluster.kubernetes
    kubeadm = f"/var/lib/minikube/binaries/v{version}/kubeadm"
    stale = [m.name for m in others if m.name in there and not _runs_api_server(lab, m.name, version)]
    for machine in stale:
        # Every time: one that was cut in between is followed by one that finds what kubeadm was told of.
        tell = (kubeadm, "init", "phase", "upload-config", "kubeadm", "--config", KUBEADM_CONFIG)
        lab.engine.run("exec", first.name, *tell, timeout=API, where=first.name)
        if lab.profile.mirrors.images:
            # With a join, whatever it is, our kubeadm there gives images their names at the mirror.
            lab.engine.run("exec", machine, kubeadm, "join", "--help", timeout=API, where=machine)
        lab.engine.run("exec", machine, kubeadm, *MASTER_UPGRADE, timeout=START, where=machine)


def _runs_api_server(lab: Lab, machine: str, version: str) -> bool:
    manifest = lab.engine.run("exec", machine, "cat", API_SERVER, timeout=60, where=machine).stdout
    return f"kube-apiserver:v{version}" in manifest


def _renew_kubelets(lab: Lab) -> None:
    """Workers go on with the old kubelet, as minikube does not start what runs: each is started anew, one by one."""
    wanted = f"v{lab.profile.cluster.kubernetes}"
    for machine in _other_kubelets(lab, wanted):
        again = "systemctl daemon-reload && systemctl restart kubelet"
        lab.engine.run("exec", machine, "sh", "-c", again, timeout=120, where=machine)

        def look(name: str = machine) -> probe.Answer[bool]:
            return probe.Answer(None if name in _other_kubelets(lab, wanted) else True, "still the old one")

        hint = f"{lab.engine.name} exec {machine} journalctl -u kubelet"
        probe.wait_for(f"the kubelet of {machine} is {wanted}", look, timeout=API, where=lab.profile.name, hint=hint)


def _other_kubelets(lab: Lab, wanted: str) -> list[str]:
    """Machines whose kubelet is of another version."""
    nodes = json.loads(_kubectl(lab, "get", "nodes", "-o", "json"))["items"]
    versions = {n["metadata"]["name"]: n.get("status", {}).get("nodeInfo", {}).get("kubeletVersion") for n in nodes}
    return [n.name for n in lab.profile.nodes if (versions.get(n.name) or wanted) != wanted]


def _balance(lab: Lab, digest: str) -> None:
    """What stands in front of several masters, before anything asks them."""
    balancer.ensure(
        lab.engine, lab.profile.cluster, lab.balancer, _labels(lab, digest), _found(lab.engine, lab.profile)
    )


def _heal_own(lab: Lab, text: str) -> None:
    """A restart of several masters that was cut leaves minikube's own kubeconfig with one master's address."""
    own = lab.files.own_kubeconfig
    if lab.profile.cluster.balancer and (not own.exists() or "certificate-authority-data" not in own.read_text()):
        kubeconfig.write(own, text)


def _without_kube_vip(lab: Lab, found: Sequence[Container]) -> None:
    """Before minikube writes its files again: `kubeadm reset` of a join that was tried twice takes the link away."""
    masters = {n.name for n in lab.profile.cluster.masters} if lab.profile.cluster.balancer else set()
    for name in sorted(masters & {c.name for c in found}):
        lab.engine.run("exec", name, "sh", "-c", balancer.WITHOUT_KUBE_VIP, timeout=60, where=name)


def _labels(lab: Lab, digest: str) -> dict[str, str]:
    return {**owner.marks(lab.profile.cluster.stack, lab.owner), owner.CONFIGURATION: digest}


def _forget(lab: Lab, node: str) -> None:
    """Let nothing know a machine that is gone: minikube then makes it again, and it joins as a new one."""
    _kubectl(lab, "delete", "node", node, "--ignore-not-found")
    lab.files.forget(node)
    lab.engine.run("volume", "rm", "--force", node, timeout=60, check=False)


def _need_network(lab: Lab) -> None:
    # minikube would make one of its own, with other ranges.
    network = lab.profile.cluster.network
    if containers.network(lab.engine, network) is None:
        raise StacklabError(
            f"the network {network} is gone",
            where=lab.profile.name,
            command=f"{lab.engine.name} network ls",
            hint="pulumi refresh, then pulumi up",
        )


def _prepare(lab: Lab, digest: str) -> None:
    """Everything that minikube finds before it starts."""
    cluster = lab.profile.cluster
    if lab.host.modules_dir:
        lab.host.modules_dir.mkdir(parents=True, exist_ok=True)
    aliases = {CONTROL_PLANE: cluster.balancer or cluster.masters[0].address}
    script = shim.render(
        lab.profile,
        binary=lab.engine.binary,
        labels=_labels(lab, digest),
        modules=lab.host.modules_dir,
        cgroup_v1=lab.host.cgroup_v1,
        aliases=aliases,
    )
    scripts: dict[str, str] = {lab.engine.name: script}
    if lab.engine.name == "podman":
        scripts["sudo"] = shim.SUDO
    lab.files.write_tools(scripts)
    lab.files.write_synced(synced(lab.profile))
    lab.files.place_binaries(cluster.kubernetes, lab.cached, lab.machine)


def synced(wanted: Profile) -> dict[str, str]:
    """What the mirrors are on a machine: containerd's hosts files, and the repository for our kubeadm there. Pure."""
    found = registries.hosts_files(wanted.cluster.registries)
    if wanted.mirrors.images:
        found[REPOSITORY] = registries.bare(wanted.mirrors.images) + "\n"
    return found


def _start(lab: Lab, digest: str) -> None:
    _prepare(lab, digest)
    lab.files.kubeconfig.unlink(missing_ok=True)
    _balance(lab, digest)
    try:
        _minikube(lab, command.start(lab.profile))
        for node in lab.profile.nodes[command.made_by_start(lab.profile) :]:
            _minikube(lab, command.add_node(lab.profile, node))
    except CommandError as error:
        raise _failed(lab, error) from None


def _minikube(lab: Lab, words: Sequence[str]) -> None:
    # flock keeps the lock for as long as minikube runs, also when we are killed; what that starts does not inherit it.
    lock: list[str | Path] = ["flock", "--close", lab.files.lock]
    shell.run([*lock, lab.minikube, *words], env=environment(lab), timeout=START, where=lab.profile.name)


def _failed(lab: Lab, error: CommandError) -> CommandError:
    """Keep the evidence, clean up, and say where it is."""
    left = [c for c in _found(lab.engine, lab.profile) if c.owner == lab.owner]
    kept = evidence.keep(lab.engine, left, error.output, lab.files)
    _remove_own(lab.engine, lab.profile.cluster.stack, lab.owner)
    return CommandError(
        "minikube could not make the lab" if error.code is not None else error.what,
        code=error.code,
        command=error.command,
        output=evidence.gist(error.output),
        where=lab.profile.name,
        hint=f"read {', '.join(str(k) for k in kept[:2])}; `stacklab doctor` says what this host lacks",
    )


def _made(lab: Lab, *, adopted: bool, before: Sequence[Node] = ()) -> Made:
    for node in lab.profile.nodes if lab.brought else ():
        bring.images(lab.engine, node.name, lab.brought, lab.profile.runtime)
    text = lab.files.own_kubeconfig.read_text()
    access = _wait(lab, text)
    _set_marks(lab, before)
    kubeconfig.write(lab.files.kubeconfig, text)
    return Made(text, access.endpoint, access.generation, adopted)


def _wait(lab: Lab, text: str) -> kubeconfig.Access:
    access = kubeconfig.read(text)
    hint = f"{lab.engine.name} logs {lab.profile.cluster.masters[0].name}"
    kubeconfig.wait_for_api(access, timeout=API, where=lab.profile.name, hint=hint)
    return access


def _kubectl(lab: Lab, *words: str) -> str:
    call: list[str | Path] = [lab.kubectl, "--kubeconfig", lab.files.own_kubeconfig, *words]
    return shell.run(call, timeout=60, where=lab.profile.name).stdout


def _set_marks(lab: Lab, before: Sequence[Node]) -> None:
    """Labels and taints of the Kubernetes nodes."""
    wanted = lab.profile.marked

    def look_up() -> probe.Answer[dict[str, marks.Actual]]:
        actual = marks.parse(json.loads(_kubectl(lab, "get", "nodes", "-o", "json")))
        absent = [node.name for node in wanted.nodes if node.name not in actual]
        return probe.Answer(None if absent else actual, f"not yet: {', '.join(absent)}")

    hint = f"{lab.engine.name} exec {wanted.nodes[-1].name} journalctl -u kubelet"
    actual = probe.wait_for("every node is known to the API", look_up, timeout=API, where=wanted.name, hint=hint)
    for call in marks.commands(wanted, lab.profile.as_left(before), actual):
        _kubectl(lab, *call)


def _remove_own(engine: Engine, stack: str, owner_id: str) -> None:
    found = containers.find(engine, label=f"{owner.STACK}={stack}")
    containers.remove(engine, [c for c in found if c.owner == owner_id])
    containers.remove_volumes(engine, stack, owner_id)
