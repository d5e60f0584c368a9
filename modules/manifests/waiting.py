"""When an object counts as ready, and who waits for it: the Kubernetes provider by itself, or modules.resources.ready.

The provider waits as soon as an object is made, and heeds annotations. It does that well for Deployments and Ingresses;
for a Service it goes on until ten seconds after its last endpoint changed, for a claim until it sees it pending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modules.manifests.objects import Id, Object, identity

SKIP = "pulumi.com/skipAwait"
WAIT_FOR = "pulumi.com/waitFor"

ROLLOUT = "rollout"
ADDRESS = "address"
ADDRESS_PATH = "{.status.loadBalancer.ingress[0].ip}"
ROLLED_OUT = frozenset({"Deployment", "DaemonSet", "StatefulSet"})


@dataclass(frozen=True)
class Condition:
    """An object and when it is ready: `rollout`, `address`, or words for `kubectl wait --for`."""

    this: Id
    until: str

    def data(self) -> dict[str, str]:
        kind = f"{self.this.kind}.{self.this.group}" if self.this.group else self.this.kind
        return {"what": f"{kind.lower()}/{self.this.name}", "namespace": self.this.namespace, "until": self.until}


def not_awaited(obj: Object) -> Object:
    """Done as soon as the object exists."""
    return _annotated(obj, SKIP, "true")


def ready_when(obj: Object, condition: str) -> Object:
    """Done when a condition holds, written as for `kubectl wait --for`: condition=Available, jsonpath={.path}=value."""
    return _annotated(obj, WAIT_FOR, condition)


def needs_address(obj: Object) -> bool:
    return bool(obj["kind"] == "Service" and obj["spec"].get("type") == "LoadBalancer")


def told_first(objects: Sequence[Object]) -> tuple[list[Object], list[Condition]]:
    """Objects to be told without a wait for anything that runs, and when they are ready, as conditions of their own.

    A definition keeps its wait: it needs nothing but the API, and its custom resources need it.
    """
    told: list[Object] = []
    conditions: list[Condition] = []
    for obj in objects:
        annotations = obj["metadata"].get("annotations", {})
        if SKIP in annotations or obj["kind"] == "CustomResourceDefinition":
            told.append(obj)
        elif WAIT_FOR in annotations:
            conditions.append(Condition(identity(obj), annotations[WAIT_FOR]))
            told.append(_without(obj, WAIT_FOR))
        elif obj["kind"] in ROLLED_OUT:
            conditions.append(Condition(identity(obj), ROLLOUT))
            told.append(not_awaited(obj))
        elif needs_address(obj):
            conditions.append(Condition(identity(obj), ADDRESS))
            told.append(not_awaited(obj))
        else:
            told.append(not_awaited(obj) if obj["kind"] == "Service" else obj)
    return told, conditions


def _annotated(obj: Object, key: str, value: str) -> Object:
    metadata = obj["metadata"]
    return {**obj, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), key: value}}}


def _without(obj: Object, key: str) -> Object:
    metadata = obj["metadata"]
    annotations = {k: v for k, v in metadata["annotations"].items() if k != key}
    kept = {k: v for k, v in metadata.items() if k != "annotations"}
    return {**obj, "metadata": {**kept, "annotations": annotations} if annotations else kept}
