"""A Kubernetes cluster made by kind, its machines being containers of this host.

What needs a new cluster is an update that makes it anew, not a replacement: Pulumi would delete every object inside
first, by a provider that it has closed already. The new cluster is another generation, so the objects follow.
An `up` that was killed is finished by the next one; a cluster of our name that somebody else made is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from modules import artifacts
from modules.artifacts import images
from modules.base.errors import ArtifactError, StacklabError
from modules.host import engine, facts, network
from modules.local import containers
from modules.local.kind import capacity, driver, files
from modules.local.kind.driver import Lab, Made
from modules.local.kind.spec import ClusterSpec, Node
from modules.local.lifecycle import at_rest
from modules.local.owner import owner_id
from modules.resources import local_cluster
from modules.resources.base import (
    Change,
    Props,
    Provider,
    compare,
    diff_result,
    failures,
    known,
    text,
    without_provider,
)
from modules.resources.container_network import ContainerNetwork
from modules.resources.local_cluster import LocalCluster, engine_of
from modules.topology.plan import LabPlan

# Property -> its name for people. A difference in one of these needs a new cluster.
REPLACE_ON = {
    "name": "name",
    "kubernetes": "Kubernetes",
    "image": "node image",
    "network": "network",
    "engine": "container engine",
    "pods": "pods' range",
    "services": "services' range",
    "proxy": "kube-proxy mode",
    "balancer": "address in front of the masters",
    "registries": "mirrors of registries",
}
TEXTS = tuple(key for key in REPLACE_ON if key not in ("engine", "registries"))
INPUTS = ("stack", *REPLACE_ON, "machines")


class KindClusterProvider(Provider):
    """Outputs: the inputs, kubeconfig (secret), kubeconfig_file, endpoint, generation, nodes, states, owner."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Before anything is made: can this host do it, are the ranges free, is the name ours?"""
        if text(olds, "name") == text(news, "name") and all(olds.get(k) == news.get(k) for k in INPUTS):
            return CheckResult(news, [])
        spec = spec_of({key: value for key, value in news.items() if known(value)})
        found = failures("proxy", _proxy_problems(spec.proxy))
        for field, wanted in (("pods", spec.pods), ("services", spec.services)):
            hint = f"name another range under network.{field} of the stack file"
            found += failures(field, [f"{c}; {hint}" for c in network.conflicts(wanted)])
        try:
            chosen = engine.choose()
            names = [c.name for c in spec.containers]
            there = containers.find(chosen, names=names, label=f"{containers.CLUSTER}={spec.name}")
            containers.refuse_strangers(there, owner_id(), chosen, spec.name)
            if not there:  # else its machines have theirs already
                found += failures("machines", capacity.problems([node.role for node in spec.nodes]))
        except StacklabError as error:
            found += failures("name", [error])
        return CheckResult(news, found)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        now = {**olds, "states": states_now(olds)}
        return diff_result(f"cluster {text(olds, 'name')}", changes(now, news), by_update=True)

    def create(self, props: dict[str, Any]) -> CreateResult:
        spec, chosen, mark = spec_of(props), engine.choose(engine_of(props)), owner_id()
        lab = Lab(
            spec=spec,
            engine=chosen,
            kind=artifacts.binary("kind"),
            host=facts.node_host(facts.read(), chosen.name),
            tags=artifacts.release(spec.kubernetes),
            owner=mark,
        )
        image = images.ensure_node_image(spec.kubernetes, chosen, addons=images.extras_of(spec.image))
        if image != spec.image:
            raise ArtifactError(
                f"the artifacts make the node image {image} now, and {spec.image} was planned",
                where=spec.name,
                hint="pulumi up again",
            )
        if spec.balancer:
            images.ensure_load_balancer_image(chosen)
        made = driver.create(lab)
        return CreateResult(f"lab/{spec.stack}/cluster", _outs(props, made, mark, _all_running(spec)))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        spec, mark = spec_of(props), text(props, "owner")
        states = driver.look(engine.choose(engine_of(props)), spec, mark)
        if set(states.values()) == {driver.MISSING}:
            return ReadResult("", {})
        return ReadResult(id_, {**without_provider(props), "states": states}, {key: props.get(key) for key in INPUTS})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        if any(change.replace for change in changes(olds, news)):
            self.delete(_id, olds)
            return UpdateResult(self.create(news).outs)
        spec, before, mark = spec_of(news), spec_of(olds), text(olds, "owner")
        chosen = engine.choose(engine_of(olds))
        made = driver.revive(chosen, spec, mark, text(olds, "kubeconfig"), before.nodes)
        return UpdateResult(_outs(news, made, mark, driver.look(chosen, spec, mark)))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        driver.delete(engine.choose(engine_of(props)), text(props, "stack"), text(props, "name"), text(props, "owner"))


def changes(olds: Props, news: Props) -> list[Change]:
    """What differs between the cluster that is and the one that is wanted, and what each difference takes."""
    found = compare(olds, news, REPLACE_ON)
    found += _machine_changes(olds.get("machines") or [], news.get("machines") or [])
    for name, state in sorted((olds.get("states") or {}).items()):
        if state != driver.RUNNING:
            gone = state == driver.MISSING or state.startswith(driver.RUNNING)
            found.append(Change("states", f"machine {name} is {state}", replace=gone))
    return found


def _machine_changes(olds: list[Props], news: list[Props]) -> list[Change]:
    was, now = {m["name"]: m for m in olds}, {m["name"]: m for m in news}
    found = [Change("machines", f"machine {name} goes", replace=True) for name in was if name not in now]
    for name, machine in now.items():
        if name not in was:
            found.append(Change("machines", f"machine {name} is new", replace=True))
            continue
        for field, replace in (("role", True), ("address", True), ("labels", False), ("taints", False)):
            old, new = was[name].get(field), machine.get(field)
            if (old or None) != (new or None):
                found.append(Change("machines", f"{field} of {name} {_show(old)} -> {_show(new)}", replace=replace))
    return found


def states_now(props: Props) -> dict[str, str]:
    """The recorded states, with what is seen of machines that were stopped or paused since; a loss is for refresh."""
    recorded = dict(props.get("states") or {})
    try:
        seen = driver.look(engine.choose(engine_of(props)), spec_of(props), text(props, "owner"))
    except StacklabError:
        return recorded
    return at_rest(recorded, seen)


def _show(value: object) -> str:
    if isinstance(value, Mapping):
        value = [f"{key}={text}" for key, text in sorted(value.items())]
    return " ".join(str(v) for v in value) or "none" if isinstance(value, list) else str(value or "none")


def spec_of(props: Props) -> ClusterSpec:
    """The typed inputs; what a preview does not know yet is empty."""
    return ClusterSpec(
        **{key: text(props, key) for key in ("stack", *TEXTS)},
        registries={str(k): str(v) for k, v in (props.get("registries") or {}).items()},
        nodes=tuple(
            Node(
                name=str(m["name"]),
                role="master" if m["role"] == "master" else "worker",
                address=str(m["address"]),
                labels={str(k): str(v) for k, v in (m.get("labels") or {}).items()},
                taints=tuple(str(t) for t in m.get("taints") or ()),
            )
            for m in props.get("machines") or ()
        ),
    )


def _proxy_problems(proxy: str) -> list[str]:
    if proxy == "ipvs" and "ipvs" not in facts.read().features:
        return ["the kernel of this host cannot do ipvs; take network.proxy: iptables or nftables"]
    return []


def _all_running(spec: ClusterSpec) -> dict[str, str]:
    return {c.name: driver.RUNNING for c in spec.containers}


def _outs(props: Props, made: Made, mark: str, states: Mapping[str, str]) -> dict[str, Any]:
    spec, inputs = spec_of(props), {key: props.get(key) for key in INPUTS}
    file = files.of(spec.stack).kubeconfig
    return local_cluster.outs_of(inputs, made, kubeconfig_file=file, nodes=spec.nodes, states=states, owner=mark)


def inputs_of(plan: LabPlan, image: str) -> dict[str, Any]:
    """The inputs of a plan's cluster but for what comes from its network resource. Pure."""
    return {**local_cluster.inputs_of(plan, image), "registries": dict(plan.mirrors.registries) or None}


class KindCluster(LocalCluster, module="stacklab", name="KindCluster"):
    """The lab's cluster on the lab's network."""

    def __init__(
        self,
        resource_name: str,
        plan: LabPlan,
        *,
        image: str,
        network: ContainerNetwork,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(KindClusterProvider(), resource_name, inputs_of(plan, image), network, opts)
