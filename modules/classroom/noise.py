"""What is in every cluster without anybody's asking: the one table of it, each with its reason. Pure.

drift.py asks here about objects that the lab does not declare; declared ones never come here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from modules.manifests import identity


@dataclass(frozen=True)
class Rule:
    """Patterns as of file names; an object that fits all of them is not the student's.

    label: key, or key=value. unwritten: only objects in which no field manager left a trace.
    """

    why: str
    kind: str = "*"
    group: str = "*"
    namespace: str = "*"
    name: str = "*"
    label: str = ""
    unwritten: bool = False


UNASKED = frozenset(
    {
        # What changes by itself, all the time.
        "events",
        "events.events.k8s.io",
        "leases.coordination.k8s.io",
        "leasecandidates.coordination.k8s.io",
        "componentstatuses",
        # Made from services and from workloads.
        "endpoints",
        "endpointslices.discovery.k8s.io",
        "ipaddresses.networking.k8s.io",
        "controllerrevisions.apps",
        # What machines, their volumes and their certificates are at the moment.
        "certificatesigningrequests.certificates.k8s.io",
        "csinodes.storage.k8s.io",
        "csistoragecapacities.storage.k8s.io",
        "volumeattachments.storage.k8s.io",
        "resourceslices.resource.k8s.io",
        "nodes.metrics.k8s.io",
        "pods.metrics.k8s.io",
        # The books that Calico and MetalLB keep.
        "ipamblocks.crd.projectcalico.org",
        "ipamhandles.crd.projectcalico.org",
        "ipamconfigs.crd.projectcalico.org",
        "blockaffinities.crd.projectcalico.org",
        "clusterinformations.crd.projectcalico.org",
        "caliconodestatuses.crd.projectcalico.org",
        "servicel2statuses.metallb.io",
        "servicebgpstatuses.metallb.io",
        "configurationstates.metallb.io",
    }
)
"""Kinds that are not even asked for, as kubectl names them."""

RULES = (
    Rule("machines are looked at by themselves", kind="Node"),
    Rule("the API's own address", kind="Service", namespace="default", name="kubernetes"),
    Rule("the API's own address", kind="ServiceCIDR", name="kubernetes"),
    Rule("every namespace has it", kind="ServiceAccount", name="default"),
    Rule("every namespace has it", kind="ConfigMap", name="kube-root-ca.crt"),
    Rule("every cluster has it", kind="Namespace", name="default"),
    Rule("every cluster has it", kind="Namespace", name="kube-*"),
    Rule("kubeadm makes it", kind="ConfigMap", namespace="kube-system", name="kubeadm-config"),
    Rule("kubeadm makes it", kind="ConfigMap", namespace="kube-system", name="kubelet-config*"),
    Rule("kubeadm makes it", kind="ConfigMap", namespace="kube-public", name="cluster-info"),
    Rule("kubeadm makes it", kind="Role*", namespace="kube-*", name="kubeadm:*"),
    Rule("kubeadm makes it", kind="ClusterRole*", name="kubeadm:*"),
    Rule("a machine joins with it", kind="Secret", namespace="kube-system", name="bootstrap-token-*"),
    Rule("a part of the control plane", namespace="kube-system", name="coredns"),
    Rule("a part of the control plane", namespace="kube-system", name="kube-dns"),
    Rule("a part of the control plane", namespace="kube-system", name="kube-proxy"),
    Rule("a part of the control plane", kind="ConfigMap", namespace="kube-system", name="kube-apiserver-*"),
    Rule(
        "a part of the control plane",
        kind="ConfigMap",
        namespace="kube-system",
        name="extension-apiserver-authentication",
    ),
    Rule("a controller works as it", kind="ServiceAccount", namespace="kube-system", unwritten=True),
    Rule("rules of the system", kind="ClusterRole*", name="system:*"),
    Rule("rules of the system", kind="Role*", namespace="kube-*", name="system:*"),
    Rule("rules of the system", group="rbac.authorization.k8s.io", label="kubernetes.io/bootstrapping"),
    Rule("rules of the system", kind="PriorityClass", name="system-*"),
    Rule("rules of the system", kind="FlowSchema", group="flowcontrol.apiserver.k8s.io"),
    Rule("rules of the system", kind="PriorityLevelConfiguration", group="flowcontrol.apiserver.k8s.io"),
    Rule("the API serves it", kind="APIService", label="kube-aggregator.kubernetes.io/automanaged"),
    Rule("Calico's own beginning", kind="IPPool", group="crd.projectcalico.org", name="default-*-ippool"),
    Rule("Calico's own beginning", kind="FelixConfiguration", group="crd.projectcalico.org", name="default"),
    Rule("Calico's own beginning", kind="FelixConfiguration", group="crd.projectcalico.org", name="node.*"),
    Rule("Calico's own beginning", kind="KubeControllersConfiguration", group="crd.projectcalico.org", name="default"),
    Rule("Calico's own beginning", kind="Tier", group="crd.projectcalico.org", name="default"),
    Rule("Calico's own beginning", kind="Tier", group="crd.projectcalico.org", name="*adminnetworkpolicy"),
    Rule("Calico's picture of it", group="crd.projectcalico.org", name="kns.*"),
    Rule("Calico's picture of it", group="crd.projectcalico.org", name="ksa.*"),
    Rule("Calico's picture of it", group="crd.projectcalico.org", name="knp.*"),
    Rule("MetalLB's members know each other by it", kind="Secret", namespace="metallb-system", name="memberlist"),
    Rule("made for a claim", kind="PersistentVolume", name="pvc-*"),
)

CONTROLLERS = (
    # Who writes into objects without being asked by a person: field managers, as patterns of names.
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kubeadm",
    "cloud-controller-manager",
    "api-priority-and-fairness-*",
    "calico*",
    "kube-controllers",  # Calico's
    "flanneld",
    "metallb*",
    "controller",  # MetalLB's two programs
    "speaker",
    "traefik",
    "metrics-server",
    "coredns",
    "kube-proxy",
    "local-path-provisioner",
    "minikube*",
    "storage-provisioner",
    "stacklab*",  # the lab's own, and `class cards`
    "pulumi*",
)

CONTROLLERS_FIELDS = (
    # Parts of declared objects that a controller writes over; patterns of paths.
    "*.caBundle",
)


def why(obj: Mapping[str, Any]) -> str:
    """Why an object that the lab does not declare is nobody's work; "" when no rule says so."""
    if obj["metadata"].get("ownerReferences"):
        return "it belongs to another object"
    return next((rule.why for rule in RULES if fits(rule, obj)), "")


def managers(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """Who wrote the object; who only told its state is none of them."""
    entries = obj["metadata"].get("managedFields") or ()
    return tuple(dict.fromkeys(str(e.get("manager", "")) for e in entries if e.get("subresource", "") in ("", "scale")))


def by_controllers(obj: Mapping[str, Any]) -> bool:
    """Whether programs of the cluster alone wrote it. Without a trace of anybody it counts as a person's."""
    found = managers(obj)
    return bool(found) and all(any(fnmatchcase(one, pattern) for pattern in CONTROLLERS) for one in found)


def controllers_field(path: str) -> bool:
    """Whether a controller fills this in, whatever the lab declares."""
    return any(fnmatchcase(path, pattern) for pattern in CONTROLLERS_FIELDS)


def fits(rule: Rule, obj: Mapping[str, Any]) -> bool:
    """Whether an object fits all patterns of a rule."""
    this = identity(obj)
    asked = (
        (this.kind, rule.kind),
        (this.group, rule.group),
        (this.namespace, rule.namespace),
        (this.name, rule.name),
    )
    if not all(fnmatchcase(found, pattern) for found, pattern in asked) or (rule.unwritten and managers(obj)):
        return False
    key, _, value = rule.label.partition("=")
    labels = obj["metadata"].get("labels") or {}
    return not key or (key in labels and (not value or labels[key] == value))
