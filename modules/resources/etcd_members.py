"""An etcd of its own on machines of the lab that the stack file names, in front of masters without one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules.bootstrap.etcd import members
from modules.local.owner import owner_id
from modules.resources import nodes
from modules.resources.base import Change, Props, Provider, diff_result, failures, known, text, without_provider
from modules.resources.control_plane import etcd_of
from modules.topology.plan import LabPlan

INPUTS = ("stack", "name", "kubernetes", "etcd_machines", "generations")


class EtcdMembersProvider(Provider):
    """Outputs: the inputs, generation, unwell (names of members that did not answer at the last look), owner."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        before, after = _names(olds), _names(news)
        if not olds or sorted(before) == sorted(after):
            return CheckResult(news, [])
        reason = (
            f"the members of etcd cannot be changed in place ({' '.join(before)} -> {' '.join(after)}): put etcd back,"
            " or keep the data and make the lab anew: stacklab etcd backup, pulumi destroy, pulumi up"
        )
        return CheckResult(news, failures("etcd_machines", [reason]))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff_result(f"etcd of {text(olds, 'name')}", changes(olds, news), by_update=True)

    def create(self, props: dict[str, Any]) -> CreateResult:
        owner = owner_id()
        return CreateResult(f"lab/{text(props, 'stack')}/etcd", _outs(props, owner, _make(props, owner)))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        etcd = etcd_of(props, text(props, "owner"))
        unwell = members.healthy(etcd) if etcd else []
        outs = {**without_provider(props), "unwell": unwell}
        return ReadResult(id_, outs, {key: props.get(key) for key in INPUTS})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        owner = text(olds, "owner")
        return UpdateResult(_outs(news, owner, _make(news, owner)))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        etcd = etcd_of(props, text(props, "owner"))
        if etcd is not None:
            members.undo(etcd)


def changes(olds: Props, news: Props) -> list[Change]:
    """What differs, in words. Pure."""
    found = []
    was, now = olds.get("generations") or {}, news.get("generations") or {}
    for name in sorted(was):
        if known(now) and was[name] != now.get(name):
            found.append(Change("generations", f"member {name} is another machine", False))
    found += [Change("unwell", f"member {name} does not answer", False) for name in olds.get("unwell") or ()]
    if not found and olds.get("etcd_machines") != news.get("etcd_machines"):
        found.append(Change("etcd_machines", "the members are reached in another way", False))
    return found


def _make(props: Props, owner: str) -> str:
    etcd = etcd_of(props, owner)
    return members.make(etcd, nodes.say) if etcd else ""


def _names(props: Props) -> list[str]:
    return [text(m, "name") for m in props.get("etcd_machines") or ()]


def _outs(props: Props, owner: str, generation: str) -> dict[str, Any]:
    return {**{key: props.get(key) for key in INPUTS}, "generation": generation, "unwell": [], "owner": owner}


class EtcdMembers(Resource, module="stacklab", name="EtcdMembers"):
    """All members; their number is small and they need each other to begin."""

    generation: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        plan: LabPlan,
        *,
        generations: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        machines = [m for name in plan.etcd for m in plan.machines if m.name == name]
        props: dict[str, Any] = {
            "stack": plan.stack,
            "name": plan.cluster,
            "kubernetes": plan.kubernetes,
            "etcd_machines": [nodes.door_props(plan, m) for m in machines],
            "generations": {m.name: generations[m.name] for m in machines},
            **dict.fromkeys(("generation", "unwell", "owner")),
        }
        super().__init__(EtcdMembersProvider(), resource_name, props, opts)
