"""Manifests of the same shape as the real ones, which are not in the repository, and plans to render them for."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

import addons
from modules import artifacts
from modules.manifests import images
from modules.topology.known import Known
from modules.topology.parse import parse
from modules.topology.plan import LabPlan, plan


def crd(group: str, plural: str, kind: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "description": "prose",
        "properties": {"description": {"type": "string", "description": "more prose"}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}", "creationTimestamp": None},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
        "status": {"conditions": []},
    }


def account(name: str, namespace: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}


def rights(name: str) -> list[dict[str, Any]]:
    rbac = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": []},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": name},
        },
    ]


def workload(kind: str, name: str, namespace: str, main: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [main]}},
        },
    }


def slow(path: str) -> dict[str, Any]:
    probe = {"httpGet": {"path": path, "port": 7472}, "initialDelaySeconds": 10, "periodSeconds": 10}
    return {"readinessProbe": dict(probe), "livenessProbe": dict(probe)}


def calico() -> list[dict[str, Any]]:
    node = {
        "name": "calico-node",
        "image": "docker.io/calico/node:v3.28.5",
        "env": [
            {"name": "CALICO_IPV4POOL_IPIP", "value": "Never"},
            {"name": "CALICO_IPV4POOL_VXLAN", "value": "CrossSubnet"},
            {"name": "NODENAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        ],
        "readinessProbe": {"exec": {"command": ["/bin/calico-node", "-felix-ready"]}, "periodSeconds": 10},
        "livenessProbe": {"exec": {"command": ["/bin/calico-node", "-felix-live"]}, "initialDelaySeconds": 10},
    }
    daemon = workload("DaemonSet", "calico-node", "kube-system", node)
    places = {
        "upgrade-ipam": ["cni-bin-dir", "host-local-net-dir"],
        "install-cni": ["cni-bin-dir", "cni-net-dir"],
        "mount-bpffs": ["sys-fs"],
    }
    daemon["spec"]["template"]["spec"] |= {
        "initContainers": [
            {"name": name, "volumeMounts": [{"name": volume, "mountPath": f"/{volume}"} for volume in volumes]}
            for name, volumes in places.items()
        ],
        "volumes": [
            {"name": name, "hostPath": {"path": f"/{name}"}}
            for name in dict.fromkeys(volume for volumes in places.values() for volume in volumes)
        ],
    }
    ask = {"exec": {"command": ["/usr/bin/check-status"]}, "periodSeconds": 10}
    controllers = {"name": "calico-kube-controllers", "readinessProbe": dict(ask), "livenessProbe": dict(ask)}
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "calico-config", "namespace": "kube-system"},
        "data": {
            "calico_backend": "vxlan",
            "veth_mtu": "0",
            "cni_network_config": '{"plugins": [{"type": "calico", "mtu": __CNI_MTU__, "ipam": {}}]}',
        },
    }
    return [
        account("calico-node", "kube-system"),
        config,
        crd("crd.projectcalico.org", "ippools", "IPPool"),
        *rights("calico-node"),
        daemon,
        workload("Deployment", "calico-kube-controllers", "kube-system", controllers),
    ]


def flannel() -> list[dict[str, Any]]:
    namespace = "kube-flannel"
    main = {
        "name": "kube-flannel",
        "image": "ghcr.io/flannel-io/flannel:v0.26.7",
        "command": ["/opt/bin/flanneld"],
        "args": ["--ip-masq", "--kube-subnet-mgr"],
    }
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "kube-flannel-cfg", "namespace": namespace},
        "data": {"cni-conf.json": "{}", "net-conf.json": '{"Network": "10.244.0.0/16"}'},
    }
    daemon = workload("DaemonSet", "kube-flannel-ds", namespace, main)
    daemon["spec"]["template"]["spec"]["hostNetwork"] = True
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        *rights("flannel"),
        account("flannel", namespace),
        config,
        daemon,
    ]


def metrics_server() -> list[dict[str, Any]]:
    main = {
        "name": "metrics-server",
        "image": "gcr.io/k8s-staging-metrics-server/metrics-server:master",
        "args": ["--secure-port=10250", "--metric-resolution=15s"],
        "ports": [{"name": "https", "containerPort": 10250}],
        **slow("/readyz"),
    }
    api = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {"service": {"name": "metrics-server", "namespace": "kube-system"}, "group": "metrics.k8s.io"},
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "metrics-server", "namespace": "kube-system"},
        "spec": {"ports": [{"name": "https", "port": 443}]},
    }
    deployment = workload("Deployment", "metrics-server", "kube-system", main)
    del deployment["spec"]["selector"], deployment["spec"]["template"]["metadata"]  # its kustomization adds them
    return [api, deployment, account("metrics-server", "kube-system"), *rights("system:metrics-server"), service]


def metallb() -> list[dict[str, Any]]:
    namespace = "metallb-system"
    webhook = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "metallb-webhook-configuration"},
        "webhooks": [{"name": "ipaddresspoolvalidationwebhook.metallb.io", "failurePolicy": "Fail"}],
    }
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "metallb-webhook-cert", "namespace": namespace},
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        crd("metallb.io", "ipaddresspools", "IPAddressPool"),
        crd("metallb.io", "l2advertisements", "L2Advertisement"),
        crd("metallb.io", "bgppeers", "BGPPeer"),
        account("controller", namespace),
        *rights("metallb-system:controller"),
        secret,
        workload("Deployment", "controller", namespace, {"name": "controller", **slow("/metrics")}),
        workload("DaemonSet", "speaker", namespace, {"name": "speaker", **slow("/metrics")}),
        webhook,
    ]


def local_path() -> list[dict[str, Any]]:
    namespace = "local-path-storage"
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "helper-pod", "image": "busybox"}]}}
    main = {"name": "local-path-provisioner", "image": "rancher/local-path-provisioner:v0.0.30"}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        account("local-path-provisioner-service-account", namespace),
        *rights("local-path-provisioner-role"),
        workload("Deployment", "local-path-provisioner", namespace, main),
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": "local-path"},
            "provisioner": "rancher.io/local-path",
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "local-path-config", "namespace": namespace},
            "data": {"config.json": "{}", "helperPod.yaml": yaml.safe_dump(pod)},
        },
    ]


MANIFESTS = {
    "calico": calico,
    "flannel": flannel,
    "metrics-server": metrics_server,
    "metallb": metallb,
    "local-path": local_path,
}


def manifest(name: str) -> str:
    return yaml.safe_dump_all(MANIFESTS[name](), sort_keys=False)


IMAGES = {
    f"{name}:v0": None
    for name in (
        "docker.io/library/traefik",
        "docker.io/rancher/local-path-provisioner",
        "docker.io/stacklab/echo",
        "docker.io/stacklab/helper",
        "registry.k8s.io/metrics-server/metrics-server",
    )
}


def put_in_place(patch: pytest.MonkeyPatch) -> None:
    """Let addons and apps find these manifests, and images of fixed tags for the golden files."""
    patch.setattr(artifacts, "manifest", manifest, raising=False)
    patch.setattr(images, "catalogue", SimpleNamespace(IMAGES=IMAGES))


class _NoAnchors(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


def shown(objects: Iterable[dict[str, Any]]) -> str:
    """As kubectl would show them."""
    return yaml.dump_all(objects, Dumper=_NoAnchors, sort_keys=False)


def known() -> Known:
    return Known(("1.36.3",), addons.facts())


def lab(stack: str = "dev", **keys: Any) -> LabPlan:
    """The plan of a small stack file."""
    return plan(parse({"backend": "kind", "kubernetes": "1.36.3", **keys}, known()), stack)
