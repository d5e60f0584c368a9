"""The cluster of a lab on machines of its own: found on one of the masters, or begun on the first by kubeadm.

Which machines are in it is Member's business. When no master has the cluster any more it is begun anew by an update,
not by a replacement: Pulumi would delete every object inside first, by a provider that it has closed already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules.base import kubeconfig, paths
from modules.base.errors import StacklabError
from modules.bootstrap.etcd import members
from modules.bootstrap.etcd.config import Member as EtcdMember
from modules.bootstrap.kubeadm import init, state, versions
from modules.bootstrap.kubeadm.init import Made
from modules.bootstrap.kubeadm.state import Verdict
from modules.local.owner import owner_id
from modules.machines.remote import UnreachableError
from modules.resources import nodes
from modules.resources.base import Change, Props, Provider, diff_result, failures, known, tell, text, without_provider
from modules.topology.plan import LabPlan

# Property -> its name for people, and where it stands in the stack file. None of them can be changed in place.
FIXED = {
    "name": ("the cluster's name", "the name of the stack"),
    "pods": ("the pods' range", "network.pods"),
    "services": ("the services' range", "network.services"),
    "proxy": ("kube-proxy's mode", "network.proxy"),
    "vip": ("the address in front of the masters", "network.endpoint"),
    "etcd": ("where etcd runs", "etcd"),
}
INPUTS = (*nodes.LAB, "masters", "generations", "facts", "etcd_machines", "alone")


class ControlPlaneProvider(Provider):
    """Outputs: the inputs, kubeconfig (secret), kubeconfig_file, endpoint, generation, owner."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """What cannot be changed in place is refused here, so that a preview already says so."""
        if not olds:
            return CheckResult(news, [])
        found = []
        for field, reason in refusals(olds, news):
            found += failures(field, [reason])
        return CheckResult(news, found)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff_result(f"cluster {text(olds, 'name')}", changes(olds, news), by_update=True)

    def create(self, props: dict[str, Any]) -> CreateResult:
        owner = owner_id()
        return CreateResult(f"lab/{text(props, 'stack')}/control-plane", _outs(props, _ensure(props, owner), owner))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Gone only when every master was asked and none has it."""
        owner, doors = text(props, "owner"), nodes.doors(props["masters"])
        inputs = {key: props.get(key) for key in INPUTS}
        whole = []
        for node, remote in doors:
            try:
                if state.look(remote, owner, text(props, "stack")) is Verdict.OURS:
                    whole.append(remote)
            except UnreachableError as error:
                tell(f"{node.name}: {error.in_one_line()}; taken to be as it was")
                return ReadResult(id_, without_provider(props), inputs)
        if not whole:
            return ReadResult("", {})
        try:
            made = init.reach(nodes.cluster_of(props, owner).front, whole)
        except StacklabError as error:
            tell(f"cluster {text(props, 'name')}: {error.in_one_line()}; taken to be as it was")
            return ReadResult(id_, without_provider(props), inputs)
        return ReadResult(id_, _outs(props, made, owner), inputs)

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        owner = text(olds, "owner")
        return UpdateResult(_outs(news, _ensure(news, owner), owner))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """The machines take care of what is on them; here only this host's file goes."""
        kubeconfig_file(text(props, "stack")).unlink(missing_ok=True)


def refusals(olds: Props, news: Props) -> list[tuple[str, str]]:
    """What cannot be, and why, by property. Pure."""
    found = []
    for field, (title, place) in FIXED.items():
        old, new = olds.get(field) or "", news.get(field) or ""
        if known(new) and old != new:
            found.append(
                (
                    field,
                    f"{title} cannot be changed in place ({_show(old)} -> {_show(new)}): certificates, addresses and"
                    f" rules of every node hold it. Put {place} back, or make the lab anew: pulumi destroy, pulumi up",
                )
            )
    reason = versions.refusal(text(olds, "kubernetes"), text(news, "kubernetes"))
    if reason:
        found.append(("kubernetes", reason))
    before, after = _names(olds), _names(news)
    if before and not before & after:
        found.append(
            (
                "masters",
                f"none of the masters {', '.join(sorted(before))} is left, and the cluster is on them: add the new ones"
                " first (pulumi up), then take out the old ones; or make the lab anew: pulumi destroy, pulumi up",
            )
        )
    return found


def changes(olds: Props, news: Props) -> list[Change]:
    """What differs; `replace` says that the cluster is begun anew. The version is each member's business. Pure."""
    found = []
    before, after = _names(olds), _names(news)
    for verb, names in (("comes", after - before), ("goes", before - after)):
        found += [Change("masters", f"master {name} {verb}", False) for name in sorted(names)]
    was, now = olds.get("generations") or {}, news.get("generations") or {}
    both = [name for name in was if name in before & after]
    # A preview may not know it yet: most often it is the same machine.
    stayed = [name for name in both if not known(now) or not known(now.get(name)) or was[name] == now.get(name)]
    if both and not stayed:
        found.append(Change("generations", "no master is the machine that it was", True))
    else:
        renewed = sorted(set(both) - set(stayed))
        found += [Change("generations", f"master {name} is another machine", False) for name in renewed]
    if not found and olds.get("masters") != news.get("masters"):
        found.append(Change("masters", "the masters are reached in another way", False))
    if text(olds, "repository") != text(news, "repository"):
        found.append(Change("repository", "kubeadm's images come from elsewhere", False))
    return found


def kubeconfig_file(stack: str) -> Path:
    return paths.lab(stack) / "kubeconfig"


def etcd_of(props: Props, owner: str) -> members.Etcd | None:
    """The members that the lab names; None when etcd is on the masters."""
    machines = props.get("etcd_machines") or []
    if not machines:
        return None
    pairs = [(EtcdMember(text(m, "name"), text(m, "address")), nodes.remote_of(m)) for m in machines]
    return members.Etcd(owner, text(props, "stack"), text(props, "name"), text(props, "kubernetes"), tuple(pairs))


def _ensure(props: Props, owner: str) -> Made:
    facts = props.get("facts") or {}
    masters = [(nodes.node_of(m, facts.get(m["name"])), nodes.remote_of(m)) for m in props["masters"]]
    made = init.ensure(
        nodes.cluster_of(props, owner),
        masters,
        nodes.say,
        alone=bool(props.get("alone")),
        etcd=etcd_of(props, owner),
    )
    access = kubeconfig.read(made.kubeconfig)
    hint = f"is the machines' network reached from this host? ping {access.endpoint.split('/')[2].split(':')[0]}"
    kubeconfig.wait_for_api(access, timeout=120, where=text(props, "name"), hint=hint)
    return made


def _names(props: Props) -> set[str]:
    return {text(m, "name") for m in props.get("masters") or () if known(m)}


def _show(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value)) or "none"
    return str(value or "none")


def _outs(props: Props, made: Made, owner: str) -> dict[str, Any]:
    file = kubeconfig_file(text(props, "stack"))
    if not file.exists() or file.read_text() != made.kubeconfig:
        kubeconfig.write(file, made.kubeconfig)
    return {
        **{key: props.get(key) for key in INPUTS},
        "kubeconfig": made.kubeconfig,
        "kubeconfig_file": str(file),
        "endpoint": made.endpoint,
        "generation": made.generation,
        "owner": owner,
    }


class ControlPlane(Resource, module="stacklab", name="ControlPlane"):
    """The lab's cluster; its generation is another one for each cluster ever made."""

    kubeconfig: pulumi.Output[str]
    kubeconfig_file: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    generation: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        plan: LabPlan,
        *,
        generations: Mapping[str, pulumi.Input[str]],
        facts: Mapping[str, pulumi.Input[Any]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        masters = nodes.masters_of(plan)
        props: dict[str, Any] = {
            **nodes.lab_props(plan),
            "masters": [nodes.door_props(plan, m) for m in masters],
            "etcd_machines": [nodes.door_props(plan, m) for n in plan.etcd for m in plan.machines if m.name == n],
            "generations": {m.name: generations[m.name] for m in masters},
            "facts": {m.name: facts[m.name] for m in masters},
            "alone": nodes.alone(plan),
            **dict.fromkeys(("kubeconfig", "kubeconfig_file", "endpoint", "generation", "owner")),
        }
        secret = pulumi.ResourceOptions(additional_secret_outputs=["kubeconfig"])
        super().__init__(ControlPlaneProvider(), resource_name, props, pulumi.ResourceOptions.merge(secret, opts))
