"""The NAT network of a lab on libvirt: fixed addresses by DHCP, names by DNS. Machines come and go while it runs."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules.base.errors import StacklabError
from modules.host import network as ranges
from modules.local.owner import owner_id
from modules.machines.libvirt import names, networks
from modules.machines.libvirt.connection import connect
from modules.machines.libvirt.lab import marked
from modules.machines.libvirt.spec import Host, NetworkSpec
from modules.resources.base import Change, Props, Provider, compare, diff_result, failures, known, text
from modules.topology.plan import LabPlan

REPLACE_ON = {"uri": "libvirt", "name": "name", "bridge": "bridge", "range": "range", "gateway": "gateway"}
INPUTS = ("stack", *REPLACE_ON, "hosts")
ACTIVE = "active"


class LibvirtNetworkProvider(Provider):
    """Outputs: the inputs, its state, and the mark of its owner."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Before anything is made: is the range free on this host, is the name ours?"""
        if not known(news) or all(olds.get(key) == news.get(key) for key in REPLACE_ON):
            return CheckResult(news, [])
        spec, found = spec_of(news), []
        if "+" not in text(news, "uri").partition(":")[0]:
            others = [route for route in ranges.routes() if route.device != spec.bridge]
            taken = ranges.overlaps(spec.range, others, ())
            hint = "name another range under network.machines of the stack file"
            found += failures("range", [f"{conflict}; {hint}" for conflict in taken])
        try:
            with connect(text(news, "uri"), start=False) as libvirt:
                there = networks.find(libvirt, spec.name)
                if there is not None:
                    networks.refuse(there, owner_id())
        except StacklabError as error:
            # A daemon that is not there yet has no stranger's network; `create` says so when it cannot be had.
            from modules.base.errors import OwnershipError

            found += failures("name", [error]) if isinstance(error, OwnershipError) else []
        return CheckResult(news, found)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff_result(f"network {text(olds, 'name')}", changes(olds, news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        spec, mark = spec_of(props), owner_id()
        with connect(text(props, "uri")) as libvirt:
            networks.ensure(libvirt, spec, marked(spec.stack, mark))
        return CreateResult(f"lab/{spec.stack}/network", _outs(props, ACTIVE, mark))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        with connect(text(props, "uri")) as libvirt:
            there = networks.ours(libvirt, text(props, "name"), text(props, "owner"))
            if there is None:
                return ReadResult("", {})
            state = ACTIVE if there.isActive() else "inactive"
        outs = _outs(props, state, text(props, "owner"))
        return ReadResult(id_, outs, {key: props.get(key) for key in INPUTS})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        spec, mark = spec_of(news), text(olds, "owner")
        with connect(text(news, "uri")) as libvirt:
            networks.ensure(libvirt, spec, marked(spec.stack, mark))
        return UpdateResult(_outs(news, ACTIVE, mark))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        with connect(text(props, "uri")) as libvirt:
            networks.delete(libvirt, text(props, "name"), text(props, "owner"))


def changes(olds: Props, news: Props) -> list[Change]:
    """What differs between the network that is and the one that is wanted."""
    found = compare(olds, news, REPLACE_ON)
    was, now = _hosts(olds), _hosts(news)
    if set(was) != set(now):
        went = [f"{host.name} goes" for host in was if host not in now]
        came = [f"{host.name} comes" for host in now if host not in was]
        found.append(Change("hosts", ", ".join([*went, *came]), replace=False))
    if text(olds, "state") not in ("", ACTIVE):
        found.append(Change("state", f"it is {text(olds, 'state')}", replace=False))
    return found


def spec_of(props: Props) -> NetworkSpec:
    """The typed inputs."""
    words = {key: text(props, key) for key in ("stack", "name", "bridge", "range", "gateway")}
    return NetworkSpec(**words, hosts=_hosts(props))


def _hosts(props: Props) -> tuple[Host, ...]:
    return tuple(Host(str(h["name"]), str(h["address"]), str(h["mac"])) for h in props.get("hosts") or ())


def _outs(props: Props, state: str, mark: str) -> dict[str, Any]:
    return {**{key: props.get(key) for key in INPUTS}, "state": state, "owner": mark}


def inputs_of(plan: LabPlan) -> dict[str, Any]:
    """The inputs of a plan's network but for the URI. Pure."""
    hosts = [{"name": m.name, "address": m.address, "mac": names.mac(m.address)} for m in plan.machines]
    return {
        "stack": plan.stack,
        "name": plan.network.name,
        "bridge": names.bridge(plan.cluster),
        "range": plan.network.machines,
        "gateway": plan.network.gateway,
        "hosts": hosts,
    }


class LibvirtNetwork(Resource, module="stacklab", name="LibvirtNetwork"):
    """The network of the same name as the lab's cluster."""

    name: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        plan: LabPlan,
        *,
        uri: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {**inputs_of(plan), "uri": uri, "state": None, "owner": None}
        super().__init__(LibvirtNetworkProvider(), resource_name, props, opts)
