"""Ranges and addresses: nothing overlaps, every machine has its place."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations

from modules.topology import address as a
from modules.topology.known import Known
from modules.topology.model import LabSpec
from modules.topology.problem import NOTHING, Path, Problem
from modules.topology.values import Range

MACHINES: Path = ("network", "machines")
BALANCERS: Path = ("network", "loadbalancers")
AROUND: tuple[Path, ...] = (("backend",), MACHINES)
# kube-apiserver takes at most 20 bits; kubeadm wants room for the cluster DNS at .10.
SERVICE_PREFIXES = range(12, 29)


def check(spec: LabSpec, known: Known) -> Iterator[Problem]:
    # `auto` on kind and minikube depends on the stack's name; the places inside are the same in each of those networks.
    network = a.machine_network(spec, "")
    floating = spec.network.machines is None and spec.backend in ("kind", "minikube")
    yield from _overlaps(spec, a.AUTO_NETWORKS if floating else network, floating)
    yield from _sizes(spec)
    if floating:
        yield from _needs_a_network(spec)
    else:
        yield from _range(spec, network)
    yield from _room(spec, known, network)
    yield from _machines(spec, network, floating)
    yield from _endpoint(spec, network)


def _overlaps(spec: LabSpec, machines: IPv4Network, floating: bool) -> Iterator[Problem]:
    ranges = {"pods": spec.network.pods, "services": spec.network.services, "machines": machines}
    for (one, first), (other, second) in combinations(ranges.items(), 2):
        if not first.overlaps(second):
            continue
        taken = f"{second}, the networks that auto picks from" if floating and other == "machines" else str(second)
        # The later of the two written ones is shown; a default is not what has to change.
        blame, found, against = (other, second, f"{one} {first}")
        if (other == "machines" and spec.network.machines is None) or other not in spec.network.model_fields_set:
            blame, found, against = (one, first, f"{other} {taken}")
        yield Problem(
            ("network", blame),
            f"this overlaps {against}",
            found,
            "pods, services and machines each have addresses of their own",
            rests_on=(("network", one), ("network", other), ("backend",)),
        )


def _sizes(spec: LabSpec) -> Iterator[Problem]:
    machines = a.count(spec.masters) + a.count(spec.workers)
    pods, services = spec.network.pods, spec.network.services
    if pods.prefixlen > 24 or 2 ** (24 - pods.prefixlen) < machines:
        longest = 24 - (machines - 1).bit_length()
        yield Problem(
            ("network", "pods"),
            f"too small for {machines} machines: each takes a /24 for its pods",
            pods,
            f"a network of /{longest} or larger",
            str(IPv4Network((pods.network_address, longest), strict=False)),
            rests_on=(("masters",), ("workers",)),
        )
    if services.prefixlen not in SERVICE_PREFIXES:
        mended = max(SERVICE_PREFIXES[0], min(services.prefixlen, SERVICE_PREFIXES[-1]))
        yield Problem(
            ("network", "services"),
            f"Kubernetes does not take a /{services.prefixlen} for services",
            services,
            f"a network from /{SERVICE_PREFIXES[0]} to /{SERVICE_PREFIXES[-1]}",
            str(IPv4Network((services.network_address, mended), strict=False)),
        )


def _needs_a_network(spec: LabSpec) -> Iterator[Problem]:
    why = "a fixed address needs a fixed network: network.machines is auto here"
    allowed = "network.machines with a network around it, or no address here"
    if spec.network.loadbalancers is not None:
        around = _around(spec.network.loadbalancers.first)
        yield Problem(BALANCERS, why, spec.network.loadbalancers, allowed, around, rests_on=AROUND)
    if spec.backend == "kind":
        for path, machine in a.listed(spec):
            if machine.address is not None:
                around = _around(machine.address)
                yield Problem((*path, "address"), why, machine.address, allowed, around, rests_on=AROUND)


def _around(address: IPv4Address) -> str:
    return f"network: {{machines: {IPv4Network((address, 24), strict=False)}}}"


def _range(spec: LabSpec, network: IPv4Network) -> Iterator[Problem]:
    given = spec.network.loadbalancers
    if given is None:
        return
    if given.first not in network or given.last not in network:
        start = network.network_address
        fits = network.num_addresses > a.LB_LAST
        yield Problem(
            BALANCERS,
            f"this range is not inside the machines' network {network}",
            given,
            f"a range inside {network}",
            f"{start + a.LB_FIRST}-{start + a.LB_LAST}" if fits else "",
            rests_on=AROUND,
        )
        return
    front = a.endpoint(spec, network) if spec.network.endpoint is None else None
    for reserved, name in (
        (network.network_address, "network's own address"),
        (network.network_address + a.GATEWAY, "gateway"),
        (network.broadcast_address, "broadcast address"),
        (front, "address in front of the masters"),
    ):
        if reserved is not None and reserved in given:
            allowed = f"a range inside {network} without it"
            yield Problem(BALANCERS, f"this range holds the {name} {reserved}", given, allowed, rests_on=AROUND)


def _room(spec: LabSpec, known: Known, network: IPv4Network) -> Iterator[Problem]:
    """Whether `auto` finds addresses for load balancers, where some are wanted."""
    wanted = [name for name in known.providers("loadbalancer") if name in spec.addons]
    if not wanted or spec.network.loadbalancers is not None:
        return
    if spec.backend == "ssh":
        yield Problem(
            BALANCERS,
            f"only you know which addresses are free in the machines' own network; {wanted[0]} needs some",
            "auto" if "loadbalancers" in spec.network.model_fields_set else NOTHING,
            "a range that nothing else uses, such as 192.168.56.200-192.168.56.220",
            rests_on=(("backend",), ("addons",)),
        )
    elif a.loadbalancers(spec, network) is None:
        yield Problem(
            BALANCERS,
            f"auto takes .{a.LB_FIRST} to .{a.LB_LAST}, and {network} does not reach that far",
            "auto",
            f"a range inside {network}, or a larger network for machines",
            rests_on=(*AROUND, ("addons",)),
        )


def _machines(spec: LabSpec, network: IPv4Network, floating: bool) -> Iterator[Problem]:
    balancers = a.loadbalancers(spec, network) if not (floating and spec.network.loadbalancers) else None
    taken: dict[IPv4Address, a.Place] = {}
    told: set[Path] = set()
    for place in a.places(spec, network, "lab"):
        if floating and place.given:
            continue  # told already: a fixed address needs a fixed network
        path = (*place.path, "address") if place.given else place.path
        found = place.address if place.given else f"{place.address} (given to {place.name})"
        near = (*AROUND, ("masters",), ("workers",)) if not place.given else AROUND
        if place.address in taken:
            other = taken[place.address]
            yield Problem(
                path,
                f"another machine has this address: {other.name}",
                found,
                "an address for each machine",
                rests_on=near,
                other=(*other.path, "address") if other.given else other.path,
            )
        elif why := _misplaced(spec, place, network, balancers):
            rests = (*near, BALANCERS) if "load balancers" in why else near
            free = _free(network, balancers)
            if place.path not in told:  # a count is one key, however many machines it means
                counted = "a larger network, or a list of machines with an address each"
                yield Problem(path, why, found, free if len(path) > 1 else counted, rests_on=rests)
            told |= {place.path} if len(path) == 1 else set()
        taken.setdefault(place.address, place)


def _misplaced(spec: LabSpec, place: a.Place, network: IPv4Network, balancers: Range | None) -> str:
    if place.address not in network:
        return f"this address is not in the machines' network {network}"
    if place.address in (network.network_address, network.broadcast_address):
        return f"no machine can have this address: it is one of the ends of {network}"
    if spec.backend != "ssh" and place.address == network.network_address + a.GATEWAY:
        return "this is the address of the network's gateway"
    if spec.network.endpoint is None and place.address == a.endpoint(spec, network):
        return "this address is the load balancer's in front of the masters"
    if balancers and place.address in balancers:
        return f"this address is one of the load balancers' range {balancers}"
    return ""


def _free(network: IPv4Network, balancers: Range | None) -> str:
    free = f"an address in {network} but the gateway's"
    return f"{free}, outside {balancers}" if balancers else free


def _endpoint(spec: LabSpec, network: IPv4Network) -> Iterator[Problem]:
    vip = spec.network.endpoint
    if vip is None or spec.backend in ("kind", "minikube"):
        return
    path: Path = ("network", "endpoint")
    shown = f"vip:{vip}"
    if vip not in network or vip in (network.network_address, network.broadcast_address):
        what = f"the virtual address is not in the machines' network {network}"
        yield Problem(path, what, shown, f"an address in {network} that nothing else has", rests_on=AROUND)
        return
    balancers = a.loadbalancers(spec, network)
    holders = {place.address: place.name for place in a.places(spec, network, "lab")}
    if spec.backend != "ssh":
        holders[network.network_address + a.GATEWAY] = "the gateway"
    owner = holders.get(vip) or (f"the load balancers' range {balancers}" if balancers and vip in balancers else "")
    if owner:
        yield Problem(
            path,
            f"the virtual address belongs to {owner}",
            shown,
            f"an address in {network} that nothing else has",
            rests_on=(*AROUND, ("masters",), ("workers",), BALANCERS),
        )
