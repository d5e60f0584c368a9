"""What a student's credentials rest on: an account of Kubernetes' own, in the student's lab or share of one. Pure.

A token of a ServiceAccount, not a certificate: a certificate is good until its last day, whatever one deletes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modules.base.errors import OwnershipError
from modules.base.kubeconfig import Access, for_token
from modules.classroom import namespace
from modules.classroom.namespace import Tenant
from modules.manifests import Object, identity, labelled

NAMESPACE = "stacklab-access"
CLASS, STUDENT = "stacklab.io/class", "stacklab.io/student"


@dataclass(frozen=True)
class Account:
    """One student's: `objects` in the order to make them. `inside` is the namespace that the student is held in."""

    student: str
    stack: str
    objects: tuple[Object, ...]
    inside: str = ""

    @property
    def taken(self) -> tuple[Object, ...]:
        """What revoking deletes: first what gives rights, last what gives the token."""
        return tuple(obj for obj in reversed(self.objects) if obj["kind"] != "Namespace")

    @property
    def token(self) -> Object:
        """The Secret that the cluster puts the token into."""
        return next(obj for obj in self.objects if obj["kind"] == "Secret")

    def kubeconfig(self, cluster: Access, token: str) -> str:
        """The student's own."""
        return for_token(self.stack, self.student, cluster, token, self.inside)

    def check_owner(self, found: list[Mapping[str, Any]]) -> None:
        """Raises OwnershipError for an object of the same name that is not this student's by its labels."""
        mine = self.objects[0]["metadata"]["labels"]
        for obj in found:
            labels = obj["metadata"].get("labels") or {}
            if any(labels.get(key) != mine[key] for key in (CLASS, STUDENT)):
                raise OwnershipError(
                    f"{identity(obj)} is there already, and it is not this student's",
                    where=f"stack {self.stack}",
                    hint="look at it with kubectl; when nobody needs it, delete it",
                )


def own_lab(class_name: str, student: str, stack: str) -> Account:
    """Tenancy cluster: everything may be done in one's own lab."""
    labels = {"app.kubernetes.io/managed-by": "stacklab", CLASS: class_name, STUDENT: student}
    rbac = "rbac.authorization.k8s.io"
    objects: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": student, "namespace": NAMESPACE},
            "automountServiceAccountToken": False,
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/service-account-token",
            "metadata": {
                "name": f"{student}-token",
                "namespace": NAMESPACE,
                "annotations": {"kubernetes.io/service-account.name": student},
            },
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"{NAMESPACE}-{student}"},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": student, "namespace": NAMESPACE}],
        },
    ]
    return Account(student, stack, tuple(labelled(obj, labels) for obj in objects))


def share(tenant: Tenant) -> Account:
    """Tenancy namespace: the account that the student's stack has made already, or had before it was revoked."""
    return Account(tenant.student, tenant.namespace, tuple(namespace.access(tenant)), tenant.namespace)
