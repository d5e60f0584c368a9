"""One student's lab: the template with the student's own changes, network, addresses and host names. Pure.

What is written out in the template keeps its place within the network: 192.168.26.21 becomes the .21 of the student's.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from modules.classroom.model import Addresses
from modules.topology.address import endpoint, machine_network
from modules.topology.model import LabSpec

Data = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a student's lab is: its own network, and for VMs the libvirt daemon ("" is the template's)."""

    network: IPv4Network
    uri: str = ""


def stack_name(class_name: str, student: str) -> str:
    """The student's Pulumi stack, and with tenancy namespace the student's namespace."""
    return f"{class_name}-{student}"


def room(addresses: Addresses) -> int:
    """How many students have a network of their own."""
    return int(2 ** max(addresses.each - addresses.range.prefixlen, 0))


def network_of(addresses: Addresses, slot: int) -> IPv4Network:
    """The network of one place in the range."""
    size = 2 ** (32 - addresses.each)
    return IPv4Network((int(addresses.range.network_address) + slot * size, addresses.each))


def merged(template: Mapping[str, Any], change: Mapping[str, Any]) -> Data:
    """The template with a student's changes: mappings are joined, everything else is replaced."""
    base = dict(template)
    if isinstance(base.get("addons"), list) and isinstance(change.get("addons"), Mapping):
        base["addons"] = {name: {} for name in base["addons"] if isinstance(name, str)}
    return _joined(base, change)


def _joined(base: Mapping[str, Any], change: Mapping[str, Any]) -> Data:
    found = copy.deepcopy(dict(base))
    for key, value in change.items():
        before = found.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            found[key] = _joined(before, value)
        else:
            found[key] = copy.deepcopy(value)
    return found


def lab_data(wanted: Mapping[str, Any], spec: LabSpec, student: str, place: Place) -> Data:
    """The lab of one student's stack file; `wanted` is what `merged` made, and `spec` is what that says."""
    data = copy.deepcopy(dict(wanted))
    move = _Move(machine_network(spec, student), place.network)
    network = dict(data.get("network") or {})
    network["machines"] = str(place.network)
    if spec.network.loadbalancers is not None:
        given = spec.network.loadbalancers
        network["loadbalancers"] = f"{move(given.first)}-{move(given.last)}"
    elif place.network.prefixlen > 24:
        network["loadbalancers"] = _balancers(spec, place.network)
    if spec.network.endpoint is not None:
        network["endpoint"] = f"vip:{move(spec.network.endpoint)}"
    data["network"] = network
    for role in ("masters", "workers"):
        if isinstance(data.get(role), list):
            data[role] = [_machine(machine, move) for machine in data[role]]
    if data.get("apps"):
        data["apps"] = [_app(app, student) for app in data["apps"]]
    if place.uri:
        data["libvirt"] = {**(data.get("libvirt") or {}), "uri": place.uri}
    return data


@dataclass(frozen=True)
class _Move:
    """From an address of one network to the same place in another; what does not fit is for the checks to find."""

    old: IPv4Network
    new: IPv4Network

    def __call__(self, address: IPv4Address) -> IPv4Address:
        return self.new.network_address + (int(address) - int(self.old.network_address))


def _balancers(spec: LabSpec, network: IPv4Network) -> str:
    """The last quarter of a network too small for .200 to .250, without what minikube has before its masters."""
    last = network.broadcast_address - 1
    if endpoint(spec, network) == last:
        last -= 1
    return f"{network.network_address + network.num_addresses * 3 // 4}-{last}"


def _machine(machine: Any, move: _Move) -> Any:
    if not isinstance(machine, Mapping) or not machine.get("address"):
        return machine
    return {**machine, "address": str(move(IPv4Address(machine["address"])))}


def _app(app: Mapping[str, Any], student: str) -> Data:
    return {**app, "expose": [_exposure(one, app["name"], student) for one in app.get("expose") or ()]}


def _exposure(one: Mapping[str, Any], app: str, student: str) -> Data:
    if "ingress" not in one:
        return dict(one)
    settings = dict(one["ingress"] or {})
    host = settings.get("host", "auto")
    settings["host"] = host_name(student, f"{app}.example.com" if host == "auto" else host)
    return {**one, "ingress": settings}


def host_name(student: str, host: str) -> str:
    """A student's own name for what the template calls `host`."""
    return f"{student}.{host}"
