"""What ControlPlane, Member and EtcdMembers share: machines and clusters as properties, and one change at a time.

A machine is {name, role, address, labels, taints, login}; its login holds paths and names only, never a key.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from modules import artifacts
from modules.artifacts.machine import registries
from modules.artifacts.machine.texts import Limits
from modules.base import paths, probe
from modules.bootstrap.hosts import api_name
from modules.bootstrap.kubeadm.spec import Cluster, Front, Node
from modules.machines import keys
from modules.machines.login import Login
from modules.machines.remote import Remote
from modules.resources.base import Props, tell, text
from modules.topology.plan import LabPlan, Machine

PATIENCE = 3600.0
LAB = ("stack", "name", "kubernetes", "pods", "services", "proxy", "vip", "repository", "etcd")


def machine_props(plan: LabPlan, machine: Machine) -> dict[str, Any]:
    """A machine of the plan; pure but for the user's home."""
    login = keys.login(plan, machine)
    return {
        "name": machine.name,
        "role": machine.role,
        "address": machine.address,
        "labels": dict(machine.labels),
        "taints": list(machine.taints),
        "login": {
            "user": login.user,
            "port": login.port,
            "key": str(login.key),
            "known_hosts": str(login.known_hosts),
            "jump": login.jump,
            "accept_new": login.accept_new,
        },
    }


def door_props(plan: LabPlan, machine: Machine) -> dict[str, Any]:
    """What of it others need: a change of its labels is none for them."""
    kept = ("name", "role", "address", "login")
    return {key: value for key, value in machine_props(plan, machine).items() if key in kept}


def lab_props(plan: LabPlan) -> dict[str, Any]:
    """What all nodes of a lab have in common."""
    members = [m for name in plan.etcd for m in plan.machines if m.name == name]
    return {
        "stack": plan.stack,
        "name": plan.cluster,
        "kubernetes": plan.kubernetes,
        "pods": plan.network.pods,
        "services": plan.network.services,
        "proxy": plan.network.proxy,
        "vip": plan.network.endpoint or "",
        "repository": repository(plan),
        "etcd": sorted(m.address for m in members),
    }


def repository(plan: LabPlan) -> str:
    """Where kubeadm's own images are; "" the usual place."""
    return registries.bare(plan.mirrors.images or "")


def masters_of(plan: LabPlan) -> list[Machine]:
    return [m for m in plan.machines if m.role == "master"]


def alone(plan: LabPlan) -> bool:
    """Whether masters are all there is."""
    return all(m.role == "master" for m in plan.machines)


def remote_of(machine: Props) -> Remote:
    """The door to a machine."""
    login = machine["login"]
    new = bool(login.get("accept_new"))
    own = Path.home() / ".ssh" / "known_hosts"
    return Remote(
        Login(
            machine=text(machine, "name"),
            address=text(machine, "address"),
            key=Path(text(login, "key")),
            known_hosts=Path(text(login, "known_hosts")),
            user=text(login, "user"),
            port=int(login.get("port") or 22),
            jump=text(login, "jump"),
            accept_new=new,
            also_known=(own,) if new and own.exists() else (),
        )
    )


def node_of(machine: Props, facts: object = None) -> Node:
    """The node of a machine; `facts` are those of its PreparedMachine."""
    return Node(
        name=text(machine, "name"),
        role="master" if machine["role"] == "master" else "worker",
        address=text(machine, "address"),
        labels={str(k): str(v) for k, v in (machine.get("labels") or {}).items()},
        taints=tuple(str(t) for t in machine.get("taints") or ()),
        limits=limits_of(facts),
    )


def limits_of(facts: object) -> Limits:
    found = facts if isinstance(facts, Mapping) else {}
    return Limits(
        cgroup_v1=bool(found.get("cgroup_v1")),
        no_oom_adjust=bool(found.get("no_oom_adjust")),
        emulated=bool(found.get("emulated")),
    )


def cluster_of(props: Props, owner: str) -> Cluster:
    """The typed inputs that all nodes have in common."""
    release = artifacts.release(text(props, "kubernetes"))
    return Cluster(
        stack=text(props, "stack"),
        name=text(props, "name"),
        owner=owner,
        kubernetes=text(props, "kubernetes"),
        front=Front(
            api=api_name(text(props, "name")),
            vip=text(props, "vip"),
            masters=tuple((text(m, "name"), text(m, "address")) for m in props.get("masters") or ()),
        ),
        pods=text(props, "pods"),
        services=text(props, "services"),
        proxy=text(props, "proxy"),
        etcd_tag=release.etcd_tag,
        coredns_tag=release.coredns_tag,
        repository=text(props, "repository"),
        etcd=tuple(str(address) for address in props.get("etcd") or ()),
    )


def doors(machines: Sequence[Props]) -> list[tuple[Node, Remote]]:
    return [(node_of(m), remote_of(m)) for m in machines]


def say(line: str) -> None:
    """A line among Pulumi's diagnostics."""
    tell(line)


@contextlib.contextmanager
def one_at_a_time(stack: str, what: str) -> Iterator[None]:
    """Held while a node leaves or is upgraded: the cluster must bear the loss of that one only."""
    file = paths.work() / "locks" / f"{stack}.nodes.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as handle:

        def look() -> probe.Answer[bool]:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return probe.Answer(None, "another node of the lab is under way")
            return probe.Answer(True)

        probe.wait_for(f"it is the turn of {what}", look, timeout=PATIENCE, every=0.5, hint=f"fuser -v {file}")
        yield
