"""How long a create or update of an object lasts: said by annotations that the Kubernetes provider reads.

The provider waits for Deployments, DaemonSets, StatefulSets, Jobs and Ingresses by itself, and well. For a Service it
waits until ten seconds after its last endpoint changed, for a claim until it sees it pending: neither is wanted here.
"""

from __future__ import annotations

from modules.manifests.objects import Object

SKIP = "pulumi.com/skipAwait"
WAIT_FOR = "pulumi.com/waitFor"


def not_awaited(obj: Object) -> Object:
    """Done as soon as the object exists."""
    return _annotated(obj, SKIP, "true")


def ready_when(obj: Object, condition: str) -> Object:
    """Done when a condition holds, written as for `kubectl wait --for`: condition=Available, jsonpath={.path}=value."""
    return _annotated(obj, WAIT_FOR, condition)


def _annotated(obj: Object, key: str, value: str) -> Object:
    metadata = obj["metadata"]
    return {**obj, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), key: value}}}
