"""Names and addresses of machines: of the spec and the stack's name alone, never of a running counter.

In the machines' network: .1 the gateway, .10 the endpoint (on minikube the last one), .11 on the masters, .21 on the
workers, .200 to .250 load balancers. A machine of a list keeps name and address when another one is removed: a number
at the end of its name is its place (worker-2 -> .22), else a hash of the name is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

from modules.topology.model import LabSpec, MachineSpec
from modules.topology.problem import Path
from modules.topology.values import Range

Role = Literal["master", "worker"]

LIBVIRT_NETWORK = IPv4Network("192.168.26.0/24")
AUTO_NETWORKS = IPv4Network("10.200.0.0/14")
GATEWAY, ENDPOINT, LB_FIRST, LB_LAST = 1, 10, 200, 250
ROOM: dict[Role, range] = {"master": range(11, 20), "worker": range(21, 200)}


@dataclass(frozen=True)
class Place:
    """One machine with its name and address, and where in the stack file it comes from."""

    role: Role
    name: str
    address: IPv4Address
    spec: MachineSpec
    path: Path
    given: bool


def cluster_name(stack: str) -> str:
    return f"stacklab-{stack}"


def machine_network(spec: LabSpec, stack: str) -> IPv4Network:
    """The machines' network; `auto` is worked out here."""
    if spec.network.machines is not None:
        return spec.network.machines
    if spec.backend == "libvirt":
        return LIBVIRT_NETWORK
    if spec.backend == "ssh":
        given = [m.address for _, m in listed(spec) if m.address is not None]
        return IPv4Network((given[0], 24), strict=False) if given else LIBVIRT_NETWORK
    count = AUTO_NETWORKS.num_addresses // 256
    number = int.from_bytes(hashlib.sha256(stack.encode()).digest()[:8], "big") % count
    return IPv4Network((int(AUTO_NETWORKS.network_address) + number * 256, 24))


def loadbalancers(spec: LabSpec, network: IPv4Network) -> Range | None:
    """The load balancers' range; None when `auto` finds no room in the network."""
    if spec.network.loadbalancers is not None:
        return spec.network.loadbalancers
    if network.num_addresses <= LB_LAST:
        return None
    return Range(network.network_address + LB_FIRST, network.network_address + LB_LAST)


def endpoint(spec: LabSpec, network: IPv4Network) -> IPv4Address | None:
    """The address in front of the masters: the virtual one, or that of the load balancer of kind's or of minikube's."""
    if spec.network.endpoint is not None:
        return spec.network.endpoint
    if count(spec.masters) > 1 and spec.backend == "kind":
        return network.network_address + ENDPOINT
    if count(spec.masters) > 1 and spec.backend == "minikube":
        # minikube's own rule, for which it has no setting; it goes into kubeconfig and certificates.
        return network.broadcast_address - 1
    return None


def count(machines: int | tuple[MachineSpec, ...]) -> int:
    return machines if isinstance(machines, int) else len(machines)


def listed(spec: LabSpec) -> Iterator[tuple[Path, MachineSpec]]:
    """The machines that are written out, masters first."""
    groups: tuple[tuple[str, int | tuple[MachineSpec, ...]], ...] = (
        ("masters", spec.masters),
        ("workers", spec.workers),
    )
    for key, machines in groups:
        if not isinstance(machines, int):
            yield from (((key, index), machine) for index, machine in enumerate(machines))


def places(spec: LabSpec, network: IPv4Network, cluster: str) -> tuple[Place, ...]:
    """Every machine, masters first. Clashes are for the checks to find."""
    groups: tuple[tuple[Role, int | tuple[MachineSpec, ...]], ...] = (
        ("master", spec.masters),
        ("worker", spec.workers),
    )
    found: list[Place] = []
    for role, machines in groups:
        written = not isinstance(machines, int)
        items = (MachineSpec(),) * machines if isinstance(machines, int) else machines
        for index, item in enumerate(items):
            name = item.name or _name(spec.backend, role, index, len(found), cluster)
            number = _number(item.name, role) if item.name else ROOM[role].start + index
            path: Path = (f"{role}s", index) if written else (f"{role}s",)
            address = item.address or network.network_address + number
            found.append(Place(role, name, address, item, path, item.address is not None))
    return tuple(found)


def _name(backend: str, role: Role, index: int, before: int, cluster: str) -> str:
    if backend == "kind":
        return f"{cluster}-{'control-plane' if role == 'master' else 'worker'}{index + 1 if index else ''}"
    if backend == "minikube":
        return f"{cluster}-m{before + 1:02}" if before else cluster
    return f"{role}-{index + 1}"


def _number(name: str, role: Role) -> int:
    """The last part of the address that goes with a name."""
    room = ROOM[role]
    ending = re.search(r"([0-9]+)$", name.split(".")[0])
    if ending and 1 <= int(ending[1]) <= len(room):
        return room[int(ending[1]) - 1]
    return room[int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % len(room)]
