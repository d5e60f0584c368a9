"""The container network of a lab on this host: fixed ranges, so that the machines on it have fixed addresses."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules.base.errors import StacklabError
from modules.host import engine, network
from modules.local import containers
from modules.local import network as networks
from modules.local.network import NetworkSpec
from modules.local.owner import owner_id
from modules.resources.base import Change, Props, Provider, compare, diff_result, failures, known, text
from modules.topology.plan import LabPlan

FIELDS = {"name": "name", "subnet": "range", "gateway": "gateway"}


def _spec(props: Props) -> NetworkSpec:
    return NetworkSpec(text(props, "stack"), text(props, "name"), text(props, "subnet"), text(props, "gateway"))


class ContainerNetworkProvider(Provider):
    """Outputs: the inputs, the engine that has the network, and the mark of its owner."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Before anything is made: does an engine work, is the range free, is the name ours?"""
        if not known(news) or _spec(olds) == _spec(news):
            return CheckResult(news, [])
        spec = _spec(news)
        try:
            chosen = engine.choose()
            there = containers.network(chosen, spec.name)
            if there:
                networks.refuse_stranger(chosen, there, owner_id())
        except StacklabError as error:
            return CheckResult(news, failures("name", [error]))
        taken = network.conflicts(spec.subnet, engine=chosen, own=spec.name)
        hint = "name another range under network.machines of the stack file"
        return CheckResult(news, failures("subnet", [f"{conflict}; {hint}" for conflict in taken]))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """A network cannot be changed in place."""
        return diff_result(f"network {text(olds, 'name')}", changes(olds, news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        spec, chosen, mark = _spec(props), engine.choose(), owner_id()
        networks.create(chosen, spec, mark)
        return CreateResult(f"lab/{spec.stack}/network", _outs(spec, chosen.name, mark))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        spec, chosen, mark = _spec(props), engine.choose(_engine(props)), text(props, "owner")
        there = networks.look(chosen, spec.name, mark)
        if there is None:
            return ReadResult("", {})
        seen = NetworkSpec(spec.stack, there.name, there.subnet, there.gateway)
        return ReadResult(id_, _outs(seen, chosen.name, mark), _inputs(spec))

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Never asked for by `diff`; the outputs stay whole all the same."""
        return UpdateResult(_outs(_spec(news), _engine(olds), text(olds, "owner")))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        spec = _spec(props)
        networks.delete(engine.choose(_engine(props)), spec.stack, spec.name, text(props, "owner"))


def changes(olds: Props, news: Props) -> list[Change]:
    """What differs between the network that is and the one that is wanted."""
    return compare(olds, news, FIELDS)


def _engine(props: Props) -> engine.Name:
    return "docker" if text(props, "engine") == "docker" else "podman"


def _inputs(spec: NetworkSpec) -> dict[str, Any]:
    return {"stack": spec.stack, "name": spec.name, "subnet": spec.subnet, "gateway": spec.gateway}


def _outs(spec: NetworkSpec, engine_name: str, mark: str) -> dict[str, Any]:
    return {**_inputs(spec), "engine": engine_name, "owner": mark}


class ContainerNetwork(Resource, module="stacklab", name="ContainerNetwork"):
    """The network of the same name as the lab's cluster."""

    name: pulumi.Output[str]
    engine: pulumi.Output[str]

    def __init__(self, resource_name: str, plan: LabPlan, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = NetworkSpec(plan.stack, plan.network.name, plan.network.machines, plan.network.gateway)
        props: dict[str, Any] = {**_inputs(spec), "engine": None, "owner": None}
        super().__init__(ContainerNetworkProvider(), resource_name, props, opts)
