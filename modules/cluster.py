"""A running cluster as the layers above see it, whatever its machines are, and the one door for objects inside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from modules.base import paths
from modules.manifests import Condition, Id, Object, follows, identity, leaves, pulumi_token
from modules.manifests.objects import WORKLOADS
from modules.manifests.waiting import SKIP, WAIT_FOR
from modules.resources.definitions import Definitions
from modules.resources.ready import DNS, Ready
from modules.topology.plan import LabPlan

# One name for the owner of every field we set: an `up` that goes on where a killed one ended meets its own fields.
FIELD_MANAGER = {"pulumi.com/patchFieldManager": "stacklab"}
# Deleted at once, what belongs to it a moment later. In the provider's own way, foreground, an object that is gone
# between two looks of the provider is waited for until time is up: seen with Services, and with a Job or a CronJob.
GONE_AT_ONCE = {"pulumi.com/deletionPropagationPolicy": "background"}
DEFINITION = "CustomResourceDefinition"
PATIENCE = "5m"
PATIENCE_GONE = "1m"
# The provider leaves a kubeconfig in its folder for temporary files at each run.
PROVIDER_ENVIRONMENT = {paths.SCRATCH: "TMPDIR"}
AWAITED = frozenset({"DaemonSet", "Deployment", "Ingress", "Job", "PersistentVolumeClaim", "Service", "StatefulSet"})


@dataclass(frozen=True)
class Cluster:
    """Objects in it go through `provider`, live and die with `resource`; a new one has a new `generation`.

    `nodes` are machines that join while objects are told already; what is waited for is waited for once they are in.
    `joined` are their names, with the generation of each machine: one that is new is a node before `up` ends.
    nodes_first: nothing is told before they are in. An emulated master has no time for both, and joins run into limits.
    """

    name: str
    plan: LabPlan
    provider: k8s.Provider
    resource: pulumi.Resource
    kubeconfig: pulumi.Output[str]
    kubeconfig_file: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    generation: pulumi.Output[str]
    machines: pulumi.Output[list[dict[str, str]]]
    nodes: tuple[pulumi.Resource, ...] = ()
    joined: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    nodes_first: bool = False

    def options(
        self,
        parent: pulumi.Resource | None = None,
        after: Sequence[pulumi.Resource] = (),
        secret: Sequence[str] = (),
    ) -> pulumi.ResourceOptions:
        """For a resource inside the cluster: with the cluster gone, it is gone too, and its API is not asked."""
        return pulumi.ResourceOptions(
            parent=parent,
            provider=self.provider,
            deleted_with=self.resource,
            depends_on=list(after),
            custom_timeouts=pulumi.CustomTimeouts(create=PATIENCE, update=PATIENCE, delete=PATIENCE_GONE),
            additional_secret_outputs=list(secret),
        )

    def apply(
        self, owner: str, objects: Sequence[Object], parent: pulumi.Resource, turn: Turn | None = None
    ) -> Applied:
        """Register each object as a resource of its own type, after those it needs and at once with all others.

        Definitions of custom resources go together: see modules/resources/definitions.py.
        """
        after = follows(objects)
        definitions = [obj for obj in objects if obj["kind"] == DEFINITION]
        made: dict[Id, KubernetesObject] = {}
        first: dict[Id, pulumi.Resource] = {}
        if definitions:
            together = self._define(owner, definitions, parent, turn or Turn())
            first = {identity(obj): together for obj in definitions}
        for obj in _needed_first([obj for obj in objects if obj["kind"] != DEFINITION], after):
            this = identity(obj)
            needed = dict.fromkeys(first.get(one) or made[one] for one in after[this])
            before = [*needed, *(turn or Turn()).of(obj), *self._awaited]
            secret = ["data"] if this.kind == "Secret" else ()
            opts = self.options(parent, before, secret)
            made[this] = KubernetesObject(resource_name(owner, this), obj, opts)
        return Applied(made, tuple(dict.fromkeys(first.get(one) or made[one] for one in leaves(after))))

    @property
    def _awaited(self) -> tuple[pulumi.Resource, ...]:
        return self.nodes if self.nodes_first else ()

    def _define(
        self, owner: str, definitions: Sequence[Object], parent: pulumi.Resource, turn: Turn
    ) -> pulumi.Resource:
        return Definitions(
            owner,
            cluster=pulumi.Output.concat(self.plan.stack, "/", self.generation),
            kubeconfig_file=self.kubeconfig_file,
            definitions=definitions,
            opts=pulumi.ResourceOptions(
                parent=parent, deleted_with=self.resource, depends_on=[*turn.told, *self._awaited]
            ),
        )

    def ready(
        self,
        name: str,
        conditions: Sequence[Condition],
        applied: Applied,
        parent: pulumi.Resource,
        turn: Turn | None = None,
        *,
        network: bool = False,
    ) -> Ready:
        """Wait for the conditions, once everything they may need has been told to the cluster.

        network: these are of the pods' network, without which no node is ready; nodes are waited for as well.
        """
        waited_for = [applied.objects[c.this] for c in conditions]
        return Ready(
            f"{name}/ready",
            cluster=pulumi.Output.concat(self.plan.stack, "/", self.generation),
            kubeconfig_file=self.kubeconfig_file,
            conditions=[c.data() for c in conditions],
            seen=pulumi.Output.all(*(obj.metadata.apply(_version) for obj in waited_for)),
            joined=self.joined if network else {},
            opts=pulumi.ResourceOptions(
                parent=parent,
                deleted_with=self.resource,
                depends_on=[*waited_for, *(turn or Turn()).waits, *self.nodes],
            ),
        )

    def names_found(self, turn: Turn) -> Ready:
        """Wait until names of services are found inside the cluster; nothing else waits for that."""
        return Ready(
            "dns/ready",
            cluster=pulumi.Output.concat(self.plan.stack, "/", self.generation),
            kubeconfig_file=self.kubeconfig_file,
            conditions=[DNS],
            seen=[],
            opts=pulumi.ResourceOptions(deleted_with=self.resource, depends_on=list(turn.waits)),
        )


def _version(metadata: Mapping[str, Any] | None) -> str:
    """Changes with what an object asks for, or when it is made anew; not with its status."""
    found = metadata or {}
    return f"{found.get('uid', '')}:{int(found.get('generation') or 0)}"


@dataclass(frozen=True)
class Turn:
    """What comes first: before anything is told to the cluster, before pods start, before anything is waited for."""

    told: tuple[pulumi.Resource, ...] = ()
    pods: tuple[pulumi.Resource, ...] = ()
    waits: tuple[pulumi.Resource, ...] = ()

    def of(self, obj: Object) -> tuple[pulumi.Resource, ...]:
        if awaited(obj):
            return (*self.pods, *self.waits)
        return self.pods if obj["kind"] in WORKLOADS else self.told


@dataclass(frozen=True)
class Applied:
    """Objects as resources; `last` are those that nothing else of them follows."""

    objects: Mapping[Id, KubernetesObject]
    last: tuple[pulumi.Resource, ...]


class KubernetesObject(pulumi.CustomResource):
    """One object as it is in its manifest, under the Kubernetes provider's own type.

    The typed classes of pulumi_kubernetes would need a Python class for each kind, which custom resources do not have;
    a whole manifest as one resource would hide its objects from the first preview.
    """

    metadata: pulumi.Output[Any]
    spec: pulumi.Output[Any]
    status: pulumi.Output[Any]

    def __init__(self, name: str, obj: Object, opts: pulumi.ResourceOptions) -> None:
        metadata = obj["metadata"]
        annotations = {**metadata.get("annotations", {}), **FIELD_MANAGER, **GONE_AT_ONCE}
        marked = {**metadata, "annotations": annotations}
        # A property that is only an output has to be named to be readable.
        props = {"spec": None, "status": None, **obj, "metadata": marked}
        super().__init__(pulumi_token(obj), name, props, opts)


def awaited(obj: Object) -> bool:
    """Whether the Kubernetes provider waits for more than the object's being there."""
    annotations = obj["metadata"].get("annotations", {})
    if obj["kind"] == DEFINITION or SKIP in annotations:
        return False
    return WAIT_FOR in annotations or obj["kind"] in AWAITED


def resource_name(owner: str, this: Id) -> str:
    """calico/kube-system/calico-node: unique among the resources of one kind."""
    return "/".join(part for part in (owner, this.namespace, this.name) if part)


def _needed_first(objects: Sequence[Object], after: Mapping[Id, tuple[Id, ...]]) -> list[Object]:
    """The objects in their own order, but none before one that it needs."""
    by_id = {identity(obj): obj for obj in objects}
    ordered: dict[Id, Object] = {}

    def put(this: Id) -> None:
        if this not in ordered:
            for before in after[this]:
                if before in by_id:
                    put(before)
            ordered[this] = by_id[this]

    for this in by_id:
        put(this)
    return list(ordered.values())


def reached(
    plan: LabPlan,
    resource: pulumi.Resource,
    *,
    kubeconfig: pulumi.Output[str],
    kubeconfig_file: pulumi.Output[str],
    endpoint: pulumi.Output[str],
    generation: pulumi.Output[str],
    ssh: Callable[[str], str],
    nodes: tuple[pulumi.Resource, ...] = (),
    joined: Mapping[str, pulumi.Output[str]] | None = None,
    nodes_first: bool = False,
) -> Cluster:
    """The handle of a cluster that a backend made. `ssh` gives the command that reaches the machine at an address."""
    secret: pulumi.Output[str] = pulumi.Output.secret(kubeconfig)
    provider = k8s.Provider(
        plan.cluster,
        kubeconfig=secret,
        # Without it a kubeconfig that was written anew would replace everything in the cluster.
        cluster_identifier=pulumi.Output.concat(plan.stack, "/", generation),
        enable_server_side_apply=True,
        # When a cluster was made anew, the objects of the one before are only in the state any more.
        delete_unreachable=True,
        # The first question for all schemas takes an emulated machine longer than the usual 32 s.
        kube_client_settings=k8s.KubeClientSettingsArgs(qps=200, burst=400, timeout=180),
        opts=pulumi.ResourceOptions(deleted_with=resource, env_var_mappings=PROVIDER_ENVIRONMENT),
    )
    machines = [{"name": m.name, "role": m.role, "address": m.address, "ssh": ssh(m.address)} for m in plan.machines]
    return Cluster(
        name=plan.cluster,
        plan=plan,
        provider=provider,
        resource=resource,
        kubeconfig=secret,
        kubeconfig_file=kubeconfig_file,
        endpoint=endpoint,
        generation=generation,
        machines=pulumi.Output.from_input(machines),
        nodes=nodes,
        joined=joined or {},
        nodes_first=nodes_first,
    )
