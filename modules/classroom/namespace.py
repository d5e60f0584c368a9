"""Tenancy namespace: everything one student has in the lab that all share. Pure: a student -> Kubernetes objects.

Namespace with a Pod Security level; a ServiceAccount with a token and a Role; quotas and defaults; policies for the
network and for what may be asked of the API; the sample apps under the student's own host name. What each is against is
said where it is made; docs/class.md has the list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modules import apps as lab_apps
from modules.base.kubeconfig import Access, for_token
from modules.classroom.labs import host_name
from modules.classroom.model import Shared
from modules.manifests import Object, labelled, namespaced_in
from modules.topology.model import App, ClusterIP, Ingress
from modules.topology.values import format_size

ACCOUNT = "student"
TOKEN = "student-token"  # noqa: S105 - the name of an object
INGRESS_NAMESPACE = "traefik"
INSIDE = (ClusterIP, Ingress)
UID = 10001
_SYSTEM_PRIORITIES = ["system-cluster-critical", "system-node-critical"]


@dataclass(frozen=True)
class Tenant:
    """One student in the shared lab; `apps` are those of the template, `shared` what the class file allows."""

    class_name: str
    student: str
    namespace: str
    shared: Shared
    apps: tuple[App, ...]

    @property
    def labels(self) -> dict[str, str]:
        return {
            "app.kubernetes.io/managed-by": "stacklab",
            "stacklab.io/class": self.class_name,
            "stacklab.io/student": self.student,
        }


def own_apps(apps: Sequence[App], student: str) -> tuple[App, ...]:
    """The template's apps as one of many has them: by host name, not at ports or addresses of the machines."""
    return tuple(
        app.model_copy(update={"expose": tuple(_own(e, student) for e in app.expose if isinstance(e, INSIDE))})
        for app in apps
    )


def _own(exposure: Any, student: str) -> Any:
    if not isinstance(exposure, Ingress):
        return exposure
    return exposure.model_copy(update={"host": host_name(student, str(exposure.host))})


def ingress_address(exposures: Sequence[Mapping[str, Any]] | None) -> str:
    """Where the shared lab's ingress controller answers, from that lab's output `exposures`; "" if it has none."""
    return next((str(one["address"]) for one in exposures or () if one["kind"] == "ingress"), "")


def objects(tenant: Tenant) -> list[Object]:
    """All of them, the namespace first."""
    inside = [
        *_account(tenant),
        *_quotas(tenant),
        _defaults(tenant),
        *_network(tenant),
        *_apps(tenant),
    ]
    placed = [namespaced_in(obj, tenant.namespace) for obj in inside]
    return [labelled(obj, tenant.labels) for obj in (_namespace(tenant), *_policies(tenant), *placed)]


def _namespace(tenant: Tenant) -> Object:
    level = tenant.shared.security
    # `restricted` keeps pods from being root, from the host's files, network and processes.
    security = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "warn")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": tenant.namespace, "labels": security}}


# -- who the student is --------------------------------------------------------------------------------------------


def _account(tenant: Tenant) -> list[Object]:
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": ACCOUNT},
            # Pods do not get the student's credentials unless they ask for them.
            "automountServiceAccountToken": False,
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/service-account-token",
            # The token is of no use once this object is gone. The student can make others: revoking takes all.
            "metadata": {"name": TOKEN, "annotations": {"kubernetes.io/service-account.name": ACCOUNT}},
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": ACCOUNT},
            "rules": _rules(),
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": ACCOUNT},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ACCOUNT},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": tenant.namespace}],
        },
    ]


def _rules() -> list[dict[str, Any]]:
    """Work with workloads; look at what limits it. No roles, no tokens, no endpoints, no policies to write."""
    write = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
    read = ["get", "list", "watch"]
    core = ["configmaps", "persistentvolumeclaims", "pods", "secrets", "services"]
    workloads = ["daemonsets", "deployments", "replicasets", "statefulsets"]
    return [
        {"apiGroups": [""], "resources": core, "verbs": write},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["pods/attach", "pods/exec", "pods/portforward"], "verbs": ["get", "create"]},
        {"apiGroups": ["apps"], "resources": workloads, "verbs": write},
        {
            "apiGroups": ["apps"],
            "resources": [f"{kind}/scale" for kind in workloads[1:]],
            "verbs": ["get", "update", "patch"],
        },
        {"apiGroups": ["batch"], "resources": ["cronjobs", "jobs"], "verbs": write},
        {"apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": write},
        {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"], "verbs": write},
        {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": read},
        {"apiGroups": [""], "resources": ["endpoints", "events", "limitranges", "resourcequotas"], "verbs": read},
        {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": read},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": read},
        {"apiGroups": ["metrics.k8s.io"], "resources": ["pods"], "verbs": ["get", "list"]},
    ]


def access(tenant: Tenant) -> list[Object]:
    """What the student's credentials rest on: the account, its token, and the binding that gives it its rights."""
    resting = [obj for obj in _account(tenant) if obj["kind"] != "Role"]
    return [labelled(namespaced_in(obj, tenant.namespace), tenant.labels) for obj in resting]


def kubeconfig(tenant: Tenant, cluster: Access, token: str) -> str:
    """The student's own kubeconfig."""
    return for_token(tenant.namespace, tenant.student, cluster, token, tenant.namespace)


# -- how much the student may take -----------------------------------------------------------------------------------


def _quotas(tenant: Tenant) -> list[Object]:
    shared = tenant.shared
    hard = {
        "requests.cpu": f"{shared.cpu}m",
        # Twice of it for moments when nobody else needs it.
        "limits.cpu": f"{2 * shared.cpu}m",
        "requests.memory": _bytes(shared.memory),
        "limits.memory": _bytes(shared.memory),
        "requests.storage": _bytes(shared.storage),
        "requests.ephemeral-storage": _bytes(shared.storage),
        "limits.ephemeral-storage": _bytes(shared.storage),
        "pods": str(shared.pods),
        # What is only data still fills etcd, which everybody has together.
        "persistentvolumeclaims": "5",
        "services": "20",
        "configmaps": "40",
        "secrets": "40",
        "count/deployments.apps": "20",
        "count/replicasets.apps": "60",
        "count/statefulsets.apps": "10",
        "count/daemonsets.apps": "5",
        "count/jobs.batch": "40",
        "count/cronjobs.batch": "10",
        "count/ingresses.networking.k8s.io": "10",
        "count/horizontalpodautoscalers.autoscaling": "10",
        # Ports and addresses of the machines are everybody's.
        "services.nodeports": "0",
        "services.loadbalancers": "0",
    }
    # A pod of these classes would push other students' pods off the machine.
    priority = {"scopeName": "PriorityClass", "operator": "In", "values": _SYSTEM_PRIORITIES}
    return [
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "share"}, "spec": {"hard": hard}},
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "no-priority"},
            "spec": {"hard": {"pods": "0"}, "scopeSelector": {"matchExpressions": [priority]}},
        },
    ]


def _defaults(tenant: Tenant) -> Object:
    """With a quota every container must say what it takes; for those that do not, this does."""
    each = max(tenant.shared.memory // 8, 32 * 1024**2)
    container = {
        "type": "Container",
        "defaultRequest": {"cpu": "10m", "memory": _bytes(32 * 1024**2), "ephemeral-storage": _bytes(32 * 1024**2)},
        "default": {"cpu": f"{tenant.shared.cpu}m", "memory": _bytes(each), "ephemeral-storage": _bytes(128 * 1024**2)},
        "max": {"cpu": f"{2 * tenant.shared.cpu}m", "memory": _bytes(tenant.shared.memory)},
    }
    claim = {"type": "PersistentVolumeClaim", "max": {"storage": _bytes(tenant.shared.storage)}}
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "defaults"},
        "spec": {"limits": [container, claim]},
    }


# -- whom the student's pods may talk to -----------------------------------------------------------------------------


def _network(tenant: Tenant) -> list[Object]:
    """Nothing in or out, but: each other; names; and from the ingress controller to the apps' ports."""
    dns = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    from_ingress = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": INGRESS_NAMESPACE}}}
    everybody: dict[str, Any] = {"podSelector": {}}
    found = [
        _policy("deny-all", {**everybody, "policyTypes": ["Ingress", "Egress"]}),
        _policy(
            "among-themselves",
            {
                **everybody,
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": [everybody]}],
                "egress": [{"to": [everybody]}],
            },
        ),
        _policy(
            "names",
            {
                **everybody,
                "policyTypes": ["Egress"],
                "egress": [{"to": [dns], "ports": [{"protocol": p, "port": 53} for p in ("UDP", "TCP")]}],
            },
        ),
    ]
    if any(isinstance(e, Ingress) for app in tenant.apps for e in app.expose):
        # Every pod: a student's own ingresses lead to pods of any name; Traefik asks only those that one names.
        found.append(
            _policy("from-ingress", {**everybody, "policyTypes": ["Ingress"], "ingress": [{"from": [from_ingress]}]})
        )
    return found


def _policy(name: str, spec: Mapping[str, Any]) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": dict(spec),
    }


# -- what may be asked of the API ------------------------------------------------------------------------------------


def _policies(tenant: Tenant) -> list[Object]:
    """What roles cannot say: whose host names and addresses a student may claim. Checked by the API server itself."""
    hosts = sorted({str(e.host) for app in tenant.apps for e in app.expose if isinstance(e, Ingress)})
    named = [f"rule.host == '{host}' || rule.host.endsWith('.{host}')" for host in hosts]
    own = " || ".join(named) or "false"
    return [
        *_admission(
            tenant,
            "hosts",
            {"apiGroups": ["networking.k8s.io"], "apiVersions": ["v1"], "resources": ["ingresses"]},
            [
                (
                    "!has(object.spec.defaultBackend) && has(object.spec.rules)"
                    f" && object.spec.rules.all(rule, has(rule.host) && ({own}))",
                    f"an ingress here answers to {' and '.join(hosts) or 'no name'} and names below only",
                ),
            ],
        ),
        *_admission(
            tenant,
            "services",
            {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["services"]},
            [
                (
                    "!has(object.spec.externalIPs) || size(object.spec.externalIPs) == 0",
                    "externalIPs would take addresses of others",
                ),
                ("!has(object.spec.type) || object.spec.type == 'ClusterIP'", "services here are of type ClusterIP"),
            ],
        ),
    ]


def _admission(
    tenant: Tenant, name: str, resource: Mapping[str, Any], rules: Sequence[tuple[str, str]]
) -> list[Object]:
    full = f"{tenant.namespace}-{name}"
    inside = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": tenant.namespace}}}
    return [
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": full},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [{**resource, "operations": ["CREATE", "UPDATE"]}]},
                "validations": [{"expression": expression, "message": message} for expression, message in rules],
            },
        },
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": full},
            "spec": {"policyName": full, "validationActions": ["Deny"], "matchResources": inside},
        },
    ]


# -- the apps --------------------------------------------------------------------------------------------------------


def _apps(tenant: Tenant) -> list[Object]:
    found = [obj for app in tenant.apps for obj in lab_apps.objects(app)]
    return [_restricted(obj) for obj in found]


def _restricted(obj: Object) -> Object:
    """The object with pods that `restricted` lets in."""
    spec = obj.get("spec", {})
    if "jobTemplate" in spec:
        job = spec["jobTemplate"]
        inner = _with_template(job["spec"])
        return {**obj, "spec": {**spec, "jobTemplate": {**job, "spec": inner}}}
    return {**obj, "spec": _with_template(spec)} if "template" in spec else obj


def _with_template(spec: Mapping[str, Any]) -> dict[str, Any]:
    template = spec["template"]
    pod = template["spec"]
    secure = {"runAsNonRoot": True, "runAsUser": UID, "fsGroup": UID, "seccompProfile": {"type": "RuntimeDefault"}}
    container = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    containers = [{**one, "securityContext": container} for one in pod["containers"]]
    inside = {**pod, "automountServiceAccountToken": False, "securityContext": secure, "containers": containers}
    return {**spec, "template": {**template, "spec": inside}}


def _bytes(size: int) -> str:
    return format_size(size).removesuffix("B")
