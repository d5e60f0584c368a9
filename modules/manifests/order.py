"""Which object must be there before which: as few edges as make the result right, so that the rest goes at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modules.manifests.objects import WORKLOADS, Id, Object, identity

# A pod that starts before one of these is restarted or waits, with a growing pause: that costs more than the order.
FOUNDATION = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "CustomResourceDefinition",
        "Namespace",
        "PersistentVolumeClaim",
        "PriorityClass",
        "Role",
        "RoleBinding",
        "Secret",
        "ServiceAccount",
    }
)


def follows(objects: Sequence[Object]) -> Mapping[Id, tuple[Id, ...]]:
    """For each object of a set, in the given order, the objects of the same set that must be there first.

    - what lives in a namespace of the set: the namespace;
    - a custom resource: its definition;
    - what starts pods: everything pods may use (accounts, rights, configuration, secrets, claims, definitions);
    - an ingress: the services of the set, whose endpoints its own wait looks for.

    An edge that others imply is left out.
    """
    ids = [identity(obj) for obj in objects]
    namespaces = {i.name: i for i in ids if i.kind == "Namespace"}
    definitions = {
        (obj["spec"]["group"], obj["spec"]["names"]["kind"]): identity(obj)
        for obj in objects
        if obj["kind"] == "CustomResourceDefinition"
    }
    foundation = [i for i in ids if i.kind in FOUNDATION]
    services = [i for i in ids if i.kind == "Service"]
    found: dict[Id, tuple[Id, ...]] = {}
    for this in ids:
        before: list[Id] = []
        if this.kind in WORKLOADS:
            before += foundation
        if this.kind == "Ingress":
            before += services
        if (this.group, this.kind) in definitions:
            before.append(definitions[this.group, this.kind])
        if this.namespace in namespaces:
            before.append(namespaces[this.namespace])
        found[this] = tuple(dict.fromkeys(before))
    return {this: tuple(b for b in before if not _implied(b, before, found)) for this, before in found.items()}


def leaves(after: Mapping[Id, tuple[Id, ...]]) -> tuple[Id, ...]:
    """What nothing else follows: when these have been told, all have."""
    needed = {i for before in after.values() for i in before}
    return tuple(i for i in after if i not in needed)


def _implied(one: Id, before: Sequence[Id], found: Mapping[Id, tuple[Id, ...]]) -> bool:
    return any(one in found.get(other, ()) for other in before if other != one)
