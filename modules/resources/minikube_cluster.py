"""A Kubernetes cluster made by minikube, its machines being containers of this host: a profile of the lab's own.

Another version of Kubernetes, more or fewer workers, and with several masters more or fewer of those too are changes in
place. What needs a new cluster is an update that makes it anew, not a replacement: Pulumi would delete every object
inside first, by a provider that it has closed already. An `up` that was killed is finished by the next one; a machine
of our name that somebody else made is an error.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from modules import artifacts
from modules.artifacts import catalogue, images
from modules.artifacts.images import minikube as base_image
from modules.artifacts.machine import payload
from modules.base.errors import ArtifactError, StacklabError
from modules.host import engine, facts, network
from modules.local import containers
from modules.local.kind import capacity
from modules.local.kind.driver import MISSING, RUNNING, Made
from modules.local.kind.spec import ClusterSpec, Node
from modules.local.lifecycle import at_rest
from modules.local.minikube import driver, files
from modules.local.minikube.bring import Parcel
from modules.local.minikube.driver import Lab
from modules.local.minikube.spec import Profile, Size
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
from modules.topology.model import Mirrors
from modules.topology.plan import LabPlan

# Property -> its name for people. A difference in one of these needs a new cluster.
REPLACE_ON = {
    "name": "name",
    "network": "network",
    "engine": "container engine",
    "runtime": "container runtime",
    "pods": "pods' range",
    "services": "services' range",
    "proxy": "kube-proxy mode",
    "balancer": "address in front of the masters",
    "mirrors": "mirrors",
}
# These are changed in place.
UPDATE_ON = {"kubernetes": "Kubernetes", "image": "base image"}
INPUTS = ("stack", *REPLACE_ON, *UPDATE_ON, "machines")
PULL = 1800.0
PROGRAMS = ("kubeadm", "kubelet", "kubectl")


class MinikubeClusterProvider(Provider):
    """Outputs: the inputs, kubeconfig (secret), kubeconfig_file, endpoint, generation, nodes, states, owner."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Before anything is made: can this host do it, are the ranges free, are the names ours?"""
        if text(olds, "name") == text(news, "name") and all(olds.get(k) == news.get(k) for k in INPUTS):
            return CheckResult(news, [])
        profile = profile_of({key: value for key, value in news.items() if known(value)})
        found = []
        if text(olds, "name") != text(news, "name"):
            for field, wanted in (("pods", profile.cluster.pods), ("services", profile.cluster.services)):
                hint = f"name another range under network.{field} of the stack file"
                found += failures(field, [f"{c}; {hint}" for c in network.conflicts(wanted)])
        try:
            chosen = engine.choose()
            there = containers.find(chosen, names=[n.name for n in profile.cluster.containers])
            containers.refuse_strangers(there, owner_id(), chosen, profile.name)
            missing = {n.name for n in profile.nodes} - {c.name for c in there}
            found += failures("machines", capacity.problems([n.role for n in profile.nodes if n.name in missing]))
        except StacklabError as error:
            found += failures("name", [error])
        return CheckResult(news, found)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        now = {**olds, "states": states_now(olds)}
        return diff_result(f"cluster {text(olds, 'name')}", changes(now, news), by_update=True)

    def create(self, props: dict[str, Any]) -> CreateResult:
        lab = _lab(props, owner_id())
        made = driver.create(lab)
        running = {n.name: RUNNING for n in lab.profile.cluster.containers}
        return CreateResult(f"lab/{text(props, 'stack')}/cluster", _outs(props, made, lab.owner, running))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        states = driver.look(engine.choose(engine_of(props)), profile_of(props), text(props, "owner"))
        if set(states.values()) == {MISSING}:
            return ReadResult("", {})
        return ReadResult(id_, {**without_provider(props), "states": states}, {key: props.get(key) for key in INPUTS})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        now = {**olds, "states": states_now(olds)}
        if any(change.replace for change in changes(now, news)):
            self.delete(_id, olds)
            return UpdateResult(self.create(news).outs)
        lab, before = _lab(news, text(olds, "owner")), profile_of(olds)
        newer = text(olds, "image") != text(news, "image") and lab.profile.own_image
        parcel = _parcel(lab.profile) if newer else Parcel()
        made = driver.change(lab, text(olds, "kubeconfig"), before.marked.nodes, parcel)
        return UpdateResult(_outs(news, made, lab.owner, driver.look(lab.engine, lab.profile, lab.owner)))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        driver.delete(engine.choose(engine_of(props)), text(props, "stack"), text(props, "name"), text(props, "owner"))


def changes(olds: Props, news: Props) -> list[Change]:
    """What differs between the cluster that is and the one that is wanted, and what each difference takes."""
    found = compare(olds, news, REPLACE_ON)
    for change in compare(olds, news, UPDATE_ON):
        reason, anew = change.reason, False
        if change.field == "kubernetes" and _version(news) < _version(olds):
            reason, anew = f"{reason}, which is older", True
        elif not all(_own_image(text(props, "image")) for props in (olds, news)):
            # Only our own image keeps minikube from wiping what it cannot restart.
            reason, anew = f"{reason}, with minikube's official image", True
        found.append(Change(change.field, reason, replace=anew))
    found += _machine_changes(olds.get("machines") or [], news.get("machines") or [])
    masters = {m["name"] for m in olds.get("machines") or [] if m["role"] == "master"}
    for name, state in sorted((olds.get("states") or {}).items()):
        if state != RUNNING:
            anew = state.startswith(RUNNING) or (state == MISSING and name in masters)
            found.append(Change("states", f"machine {name} is {state}", replace=anew))
    return found


def _machine_changes(olds: list[Props], news: list[Props]) -> list[Change]:
    was, now = {m["name"]: m for m in olds}, {m["name"]: m for m in news}
    # minikube lets masters come and go where there are several, and never makes one into several.
    several = min(sum(m["role"] == "master" for m in machines) for machines in (olds, news)) > 1

    def anew(machine: Props) -> bool:
        return machine["role"] == "master" and not several

    found = [
        Change("machines", f"machine {name} goes", replace=anew(machine))
        for name, machine in was.items()
        if name not in now
    ]
    for name, machine in now.items():
        if name not in was:
            found.append(Change("machines", f"machine {name} is new", replace=anew(machine)))
            continue
        for field in ("role", "address", "cpus", "memory", "labels", "taints"):
            old, new = was[name].get(field), machine.get(field)
            if (old or None) != (new or None):
                in_place = field in ("labels", "taints")
                words = f"{field} of {name} {_show(old)} -> {_show(new)}"
                found.append(Change("machines", words, replace=not in_place))
    return found


def states_now(props: Props) -> dict[str, str]:
    """The recorded states, with what is seen of machines that were stopped or paused since; a loss is for refresh."""
    recorded = dict(props.get("states") or {})
    try:
        seen = driver.look(engine.choose(engine_of(props)), profile_of(props), text(props, "owner"))
    except StacklabError:
        return recorded
    return at_rest(recorded, seen)


def _version(props: Props) -> tuple[int, ...]:
    return tuple(int(part) for part in text(props, "kubernetes").split("."))


def _show(value: object) -> str:
    if isinstance(value, Mapping):
        value = [f"{key}={text}" for key, text in sorted(value.items())]
    if isinstance(value, float):
        value = int(value)
    return " ".join(str(v) for v in value) or "none" if isinstance(value, list) else str(value or "none")


def profile_of(props: Props) -> Profile:
    """The typed inputs; what a preview does not know yet is empty."""
    machines = props.get("machines") or ()
    mirrors = Mirrors(**(props.get("mirrors") or {}))
    fields = ("stack", "name", "kubernetes", "image", "network", "pods", "services", "proxy", "balancer")
    cluster = ClusterSpec(
        **{key: text(props, key) for key in fields},
        nodes=tuple(
            Node(
                name=str(m["name"]),
                role="master" if m["role"] == "master" else "worker",
                address=str(m["address"]),
                labels={str(k): str(v) for k, v in (m.get("labels") or {}).items()},
                taints=tuple(str(t) for t in m.get("taints") or ()),
            )
            for m in machines
        ),
        registries=mirrors.registries,
    )
    sizes = {str(m["name"]): Size(int(m["cpus"]), int(m["memory"])) for m in machines}
    own = _own_image(cluster.image)
    return Profile(cluster, engine_of(props), text(props, "runtime"), sizes, own_image=own, mirrors=mirrors)


def _own_image(name: str) -> bool:
    return name.startswith(f"{base_image.REPOSITORY}:")


def _lab(props: Props, mark: str) -> Lab:
    profile, chosen = profile_of(props), engine.choose(engine_of(props))
    version = profile.cluster.kubernetes
    image = _ensure_image(profile, chosen)
    if image != profile.cluster.image:
        raise ArtifactError(
            f"the artifacts make the base image {image} now, and {profile.cluster.image} was planned",
            where=profile.name,
            hint="pulumi up again",
        )
    return Lab(
        profile=profile,
        engine=chosen,
        host=facts.node_host(facts.read(), chosen.name),
        owner=mark,
        minikube=artifacts.binary("minikube"),
        kubectl=artifacts.binary("kubectl", version),
        cached={name: artifacts.binary(name, version) for name in PROGRAMS},
        machine=platform.machine(),
        brought=_brought(profile),
        balancer=images.ensure_load_balancer_image(chosen) if profile.cluster.balancer else "",
    )


def _ensure_image(profile: Profile, chosen: engine.Engine) -> str:
    """The machines' image is there when this returns. Its name, which tells what is in it."""
    wanted = profile.cluster.image
    if profile.own_image:
        return images.ensure_base_image(profile.cluster.kubernetes, chosen, addons=images.extras_of(wanted))
    # minikube would go on with one whose digest nobody checked when this one is not to be had.
    if chosen.run("image", "inspect", wanted, timeout=PULL, check=False).code != 0:
        chosen.run("pull", wanted, timeout=PULL, where=wanted, hint="minikube: {image: own} needs no registry")
    return wanted


def _brought(profile: Profile) -> dict[str, Path]:
    """Images that no registry has, for machines whose own image lacks them."""
    if profile.own_image:
        return {}
    ours = {name for name, image in catalogue.IMAGES.items() if not image.upstream}
    made = payload.ensure_payload(profile.cluster.kubernetes).images
    return {image.reference: image.archive for image in made if image.reference in ours}


def _parcel(profile: Profile) -> Parcel:
    """What the wanted base image has and machines made from another one may lack."""
    version = profile.cluster.kubernetes
    made = payload.ensure_payload(version, addons=images.extras_of(profile.cluster.image))
    place, looked_for = payload.folder(version), base_image.binaries(version)
    return Parcel(
        programs={f"{place}/{name}": artifacts.binary(name, version) for name in PROGRAMS},
        texts={f"{looked_for}/kubeadm": base_image.kubeadm(artifacts.release(version))},
        links={f"{looked_for}/{name}": f"{place}/{name}" for name in PROGRAMS if name != "kubeadm"},
        images={image.reference: image.archive for image in made.images},
    )


def _outs(props: Props, made: Made, mark: str, states: Mapping[str, str]) -> dict[str, Any]:
    profile, inputs = profile_of(props), {key: props.get(key) for key in INPUTS}
    file = files.of(profile.cluster.stack).kubeconfig
    return local_cluster.outs_of(inputs, made, kubeconfig_file=file, nodes=profile.nodes, states=states, owner=mark)


def inputs_of(plan: LabPlan, image: str) -> dict[str, Any]:
    """The inputs of a plan's cluster but for what comes from its network resource. Pure."""
    common = local_cluster.inputs_of(plan, image)
    sizes = [{"cpus": m.cpus, "memory": m.memory} for m in plan.machines]
    return {
        **common,
        "runtime": plan.minikube.runtime,
        "mirrors": plan.mirrors.model_dump(exclude_defaults=True) or None,
        "machines": [{**machine, **size} for machine, size in zip(common["machines"], sizes, strict=True)],
    }


class MinikubeCluster(LocalCluster, module="stacklab", name="MinikubeCluster"):
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
        super().__init__(MinikubeClusterProvider(), resource_name, inputs_of(plan, image), network, opts)
