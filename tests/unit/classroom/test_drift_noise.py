"""The table of what is in every cluster: each rule fits what it is for, and not what a student might make."""

from __future__ import annotations

from typing import Any

import pytest

from modules.classroom import drift, noise
from modules.verify import probes
from tests.unit.classroom import drift_lab as lab

RBAC = "rbac.authorization.k8s.io/v1"
CALICO = "crd.projectcalico.org/v1"


def one(version: str, kind: str, namespace: str, name: str, *managers: str, **metadata: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"apiVersion": version, "kind": kind, "metadata": {"name": name, **metadata}}
    if namespace:
        made["metadata"]["namespace"] = namespace
    return lab.written(made, *managers)


NOBODYS = [
    one("v1", "Node", "", "m1", "kubectl"),
    one("v1", "Service", "default", "kubernetes", "kube-apiserver"),
    one("networking.k8s.io/v1", "ServiceCIDR", "", "kubernetes", "kube-apiserver"),
    one("v1", "ServiceAccount", "shop", "default", "kube-controller-manager"),
    one("v1", "ConfigMap", "shop", "kube-root-ca.crt", "kube-controller-manager"),
    one("v1", "Namespace", "", "default", "kube-apiserver"),
    one("v1", "Namespace", "", "kube-public", "kube-apiserver"),
    one("v1", "ConfigMap", "kube-system", "kubeadm-config", "kubeadm"),
    one("v1", "ConfigMap", "kube-system", "kubelet-config", "kubeadm"),
    one("v1", "ConfigMap", "kube-public", "cluster-info", "kubeadm"),
    one("v1", "Secret", "kube-system", "bootstrap-token-abcdef", "kubeadm"),
    one("apps/v1", "Deployment", "kube-system", "coredns", "kubeadm"),
    one("apps/v1", "DaemonSet", "kube-system", "kube-proxy", "kubeadm"),
    one("v1", "ConfigMap", "kube-system", "extension-apiserver-authentication", "kube-apiserver"),
    one(RBAC, "ClusterRole", "", "system:node", "kube-apiserver"),
    one(RBAC, "Role", "kube-system", "system:controller:token-cleaner", "kube-apiserver"),
    one(RBAC, "RoleBinding", "kube-system", "kubeadm:nodes-kubeadm-config", "kubeadm"),
    one(RBAC, "ClusterRoleBinding", "", "kubeadm:cluster-admins", "kubeadm"),
    one(RBAC, "ClusterRole", "", "edit", labels={"kubernetes.io/bootstrapping": "rbac-defaults"}),
    one("scheduling.k8s.io/v1", "PriorityClass", "", "system-node-critical"),
    one("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", "", "catch-all"),
    one(
        "apiregistration.k8s.io/v1", "APIService", "", "v1.", labels={"kube-aggregator.kubernetes.io/automanaged": "1"}
    ),
    one(CALICO, "IPPool", "", "default-ipv4-ippool", "calico-node"),
    one(CALICO, "FelixConfiguration", "", "default", "calico-node"),
    one(CALICO, "FelixConfiguration", "", "node.m1", "calico-node"),
    one(CALICO, "KubeControllersConfiguration", "", "default", "kube-controllers"),
    one(CALICO, "Tier", "", "default", "calico-node"),
    one(CALICO, "Tier", "", "adminnetworkpolicy", "calico-node"),
    one(CALICO, "Profile", "", "kns.shop", "kube-controllers"),
    one(CALICO, "Profile", "", "ksa.shop.default", "kube-controllers"),
    one(CALICO, "NetworkPolicy", "shop", "knp.default.deny", "kube-controllers"),
    one("v1", "Service", "kube-system", "kube-dns", "kubeadm"),
    one("v1", "ConfigMap", "kube-system", "kube-apiserver-legacy-service-account-token-tracking", "kube-apiserver"),
    one("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration", "", "exempt"),
    one("v1", "Secret", "metallb-system", "memberlist", "controller"),
    one("v1", "PersistentVolume", "", "pvc-1b6b3f1c", "local-path-provisioner"),
    one(
        "v1", "Pod", "default", "kubia-7d9-x", "kubectl", ownerReferences=[{"kind": "ReplicaSet", "name": "kubia-7d9"}]
    ),
    # No rule names it, but nobody but a controller wrote it.
    one("v1", "ConfigMap", "shop", "anything", "kube-controller-manager"),
    one("v1", "Secret", "shop", "made-by-lab", "stacklab"),
    one("v1", "ServiceAccount", "kube-system", "job-controller"),
    one("v1", "Secret", "stacklab-access", "s01-token", "stacklab-cards", "kube-controller-manager"),
    one("v1", "Namespace", "", "stacklab-verify-1", probes.MANAGER, "kube-controller-manager"),
]
STUDENTS = [
    one("v1", "ConfigMap", "default", "mine", "kubectl-create"),
    one("v1", "ConfigMap", "kube-system", "mine", "kubectl-client-side-apply"),
    one("v1", "ServiceAccount", "shop", "robot", "kubectl-create"),
    one("v1", "ServiceAccount", "kube-system", "my-controller", "kubectl-create"),
    one("v1", "ServiceAccount", "shop", "of-nobody"),
    one("v1", "Service", "shop", "kubernetes", "kubectl-expose"),
    one("v1", "Namespace", "", "shop", "kubectl-create"),
    one("v1", "Pod", "default", "alone", "kubectl-run"),
    one("v1", "PersistentVolume", "", "disk", "kubectl-create", "kube-controller-manager"),
    one("v1", "PersistentVolumeClaim", "default", "data", "kubectl-create", "kube-controller-manager"),
    one("v1", "Secret", "default", "sh.helm.release.v1.web.v1", "Helm"),
    one("apps/v1", "Deployment", "default", "coredns", "kubectl-create"),
    one(RBAC, "ClusterRole", "", "reader", "kubectl-create"),
    one(RBAC, "ClusterRoleBinding", "", "everybody-is-admin", "kubectl-create"),
    one("scheduling.k8s.io/v1", "PriorityClass", "", "high", "kubectl-create"),
    one("apiregistration.k8s.io/v1", "APIService", "", "v1.example.com", "kubectl-create"),
    one(CALICO, "IPPool", "", "mine", "kubectl-create"),
    one("networking.k8s.io/v1", "NetworkPolicy", "default", "deny", "python-requests"),
    one("v1", "ConfigMap", "default", "without-a-trace"),
    one("apps/v1", "Deployment", "default", "web", "k9s", "kube-controller-manager"),
]


def name(made: dict[str, Any]) -> str:
    return f"{made['kind']}-{made['metadata']['name']}"


@pytest.mark.parametrize("made", NOBODYS, ids=name)
def test_nobodys(made: dict[str, Any]) -> None:
    assert not drift.students(made, lab.BORN)


@pytest.mark.parametrize("made", STUDENTS, ids=name)
def test_students(made: dict[str, Any]) -> None:
    assert drift.students(made, lab.BORN)


def test_what_came_with_the_machines_is_nobodys() -> None:
    storage = one("storage.k8s.io/v1", "StorageClass", "", "standard", "kubectl-client-side-apply")
    assert drift.students(storage, lab.BORN)
    storage["metadata"]["creationTimestamp"] = "2026-11-21T09:24:50Z"
    assert not drift.students(storage, lab.BORN)
    assert drift.students(storage, "")


def test_every_rule_says_why_and_is_used() -> None:
    assert all(rule.why for rule in noise.RULES)
    unused = [rule for rule in noise.RULES if not any(noise.fits(rule, made) for made in NOBODYS)]
    assert unused == []
    assert {"events", "leases.coordination.k8s.io", "ipamblocks.crd.projectcalico.org"} <= noise.UNASKED


def test_state_alone_makes_nobody_the_author() -> None:
    assert noise.managers(one("v1", "ConfigMap", "default", "x")) == ()
    scaled = one("apps/v1", "Deployment", "default", "x", "stacklab")
    scaled["metadata"]["managedFields"].append({"manager": "kubectl", "subresource": "scale"})
    assert noise.managers(scaled) == ("stacklab", "kubectl")
