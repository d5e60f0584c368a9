"""One machine as a node of the lab's cluster: joined, labelled, at the file's version; drained before it goes.

Destroying the whole lab does none of the leaving (deleted_with the ControlPlane).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules.base.errors import StacklabError
from modules.bootstrap.kubeadm import join, kubectl, remove, state, upgrade, versions
from modules.bootstrap.kubeadm.state import Verdict
from modules.local.owner import owner_id
from modules.resources import nodes
from modules.resources.base import Change, Props, Provider, diff_result, failures, known, tell, text, without_provider
from modules.topology.plan import LabPlan, Machine

INPUTS = (*nodes.LAB, "machine", "masters", "machine_generation", "facts", "cluster", "alone")


class MemberProvider(Provider):
    """Outputs: the inputs and owner."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        news = {key: value for key, value in news.items() if key != "preview" or value}
        reason = versions.refusal(text(olds, "kubernetes"), text(news, "kubernetes")) if olds else ""
        return CheckResult(news, failures("kubernetes", [reason] if reason else []))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff_result(f"node {_name(olds)}", changes(olds, news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        owner = owner_id()
        _ensure(props, owner)
        return CreateResult(f"lab/{text(props, 'stack')}/node/{_name(props)}", _outs(props, owner))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Gone when the machine says so, or the cluster has no such node; one that does not answer is as it was."""
        inputs = {key: props.get(key) for key in INPUTS}
        try:
            remote, owner = nodes.remote_of(props["machine"]), text(props, "owner")
            if state.look(remote, owner, text(props, "stack"), text(props, "cluster")) is not Verdict.OURS:
                return ReadResult("", {})
            api = kubectl.first_healthy([r for _, r in nodes.doors(props["masters"])])
            if api is not None and api.node(_name(props)) is None:
                return ReadResult("", {})
        except StacklabError as error:
            tell(f"{_name(props)}: {error.in_one_line()}; taken to be as it was")
        return ReadResult(id_, without_provider(props), inputs)

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        owner = text(olds, "owner")
        _ensure(news, owner)
        return UpdateResult(_outs(news, owner))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        cluster, node = nodes.cluster_of(props, text(props, "owner")), nodes.node_of(props["machine"])
        with nodes.one_at_a_time(cluster.stack, node.name):
            remove.remove(cluster, node, nodes.remote_of(props["machine"]), nodes.doors(props["masters"]), nodes.say)


def changes(olds: Props, news: Props) -> list[Change]:
    """What differs between the node that is and the one that is wanted, in words. Pure."""
    found = []
    was, now = olds.get("machine") or {}, news.get("machine") or {}
    name = _name(olds)
    for field in ("role", "address"):
        if was.get(field) != now.get(field):
            what = f"{field} of {name} {was.get(field)} -> {now.get(field)}: it leaves and joins again"
            found.append(Change("machine", what, True))
    generation = news.get("machine_generation")
    # Unknown in an update: the machine is about to be made anew, and its node leaves in good order first. In a preview
    # it says nothing: whatever changes about machines makes it unknown.
    if (known(generation) or not news.get("preview")) and olds.get("machine_generation") != generation:
        found.append(
            Change("machine_generation", f"{name} is another machine: the node that was leaves, it joins", True)
        )
    if known(news.get("cluster")) and olds.get("cluster") != news.get("cluster"):
        found.append(Change("cluster", f"{name} joins the cluster that is made anew", False))
    if text(olds, "kubernetes") != text(news, "kubernetes"):
        how = "kubeadm upgrade, drain, new kubelet, uncordon"
        line = f"Kubernetes of {name} {text(olds, 'kubernetes')} -> {text(news, 'kubernetes')}: {how}"
        found.append(Change("kubernetes", line, False))
    for field in ("labels", "taints"):
        old, new = was.get(field) or None, now.get(field) or None
        if old != new:
            found.append(Change("machine", f"{field} of {name} {_show(old)} -> {_show(new)}", False))
    if bool(olds.get("alone")) != bool(news.get("alone")) and was.get("role") == "master":
        line = (
            f"{name} takes ordinary pods: there are no workers"
            if news.get("alone")
            else f"{name} leaves pods to workers"
        )
        found.append(Change("alone", line, False))
    found += _masters(name, olds, news)
    if was.get("login") != now.get("login"):
        found.append(Change("machine", f"{name} is reached in another way", False))
    if (olds.get("facts") or None) != (news.get("facts") or None) and known(news.get("facts")):
        found.append(Change("facts", f"what {name} can do has changed", False))
    return found


def _masters(name: str, olds: Props, news: Props) -> list[Change]:
    before = {text(m, "name"): m for m in olds.get("masters") or ()}
    after = {text(m, "name"): m for m in news.get("masters") or ()}
    words = [f"+{one}" for one in sorted(after.keys() - before.keys())]
    words += [f"-{one}" for one in sorted(before.keys() - after.keys())]
    if words:
        return [Change("masters", f"{name} is told of the masters: {' '.join(words)}", False)]
    moved = any(before[one] != after[one] for one in after)
    return [Change("masters", f"{name} is told how the masters are reached", False)] if moved else []


def _ensure(props: Props, owner: str) -> None:
    cluster, node = nodes.cluster_of(props, owner), nodes.node_of(props["machine"], props.get("facts"))
    remote, masters = nodes.remote_of(props["machine"]), nodes.doors(props["masters"])
    found = join.ensure(
        cluster,
        node,
        remote,
        masters,
        nodes.say,
        generation=text(props, "cluster"),
        alone=bool(props.get("alone")),
    )
    if not upgrade.there(cluster, node, remote, found):
        with nodes.one_at_a_time(cluster.stack, node.name):
            upgrade.upgrade(cluster, node, remote, masters, nodes.say)


def _name(props: Props) -> str:
    return text(props.get("machine") or {}, "name")


def _show(value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key}={one}" if one else key for key, one in sorted(value.items()))
    return " ".join(map(str, value)) if isinstance(value, list) else "none"


def _outs(props: Props, owner: str) -> dict[str, Any]:
    return {**{key: props.get(key) for key in INPUTS}, "owner": owner}


class Member(Resource, module="stacklab", name="Member"):
    """A machine in the cluster of that ControlPlane; `cluster` is its generation."""

    def __init__(
        self,
        resource_name: str,
        plan: LabPlan,
        *,
        machine: Machine,
        cluster: pulumi.Input[str],
        machine_generation: pulumi.Input[str],
        facts: pulumi.Input[Any],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            **nodes.lab_props(plan),
            "machine": nodes.machine_props(plan, machine),
            "masters": [nodes.door_props(plan, m) for m in nodes.masters_of(plan)],
            "machine_generation": machine_generation,
            "facts": facts,
            "cluster": cluster,
            "alone": nodes.alone(plan),
            "preview": pulumi.runtime.is_dry_run(),
            "owner": None,
        }
        super().__init__(MemberProvider(), resource_name, props, opts)
