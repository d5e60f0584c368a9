"""Traefik: the ingress controller, behind an address of the load balancer. The manifest is our own."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from addons.base import Addon, Settings
from modules.manifests import Object
from modules.manifests.images import baked
from modules.topology.plan import LabPlan

NAME = "traefik"
CLASS = "traefik"
LABELS = {"app.kubernetes.io/name": NAME}
PING = {"httpGet": {"path": "/ping", "port": "ping"}}


class TraefikSettings(Settings):
    """replicas: how many proxies share the load."""

    replicas: Annotated[int, Field(ge=1, le=20)] = Field(1, description="How many proxies share the load.")


def objects(plan: LabPlan, settings: TraefikSettings) -> list[Object]:
    inside = {"name": NAME, "namespace": NAME, "labels": LABELS}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": inside},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": NAME, "labels": LABELS},
            "rules": _rules(),
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME, "labels": LABELS},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAME}],
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {
                "name": CLASS,
                "labels": LABELS,
                "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
            },
            "spec": {"controller": "traefik.io/ingress-controller"},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": inside,
            "spec": {
                "type": "LoadBalancer",
                "selector": LABELS,
                "ports": [
                    {"name": "web", "port": 80, "targetPort": "web"},
                    {"name": "websecure", "port": 443, "targetPort": "websecure"},
                ],
            },
        },
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": inside, "spec": _deployment(settings)},
    ]


def _rules() -> list[dict[str, Any]]:
    read = ["get", "list", "watch"]
    return [
        {"apiGroups": [""], "resources": ["services", "secrets", "nodes", "namespaces"], "verbs": read},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": read},
        {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses", "ingressclasses"], "verbs": read},
        {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses/status"], "verbs": ["update"]},
    ]


def _deployment(settings: TraefikSettings) -> dict[str, Any]:
    return {
        "replicas": settings.replicas,
        "selector": {"matchLabels": LABELS},
        "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {
                "serviceAccountName": NAME,
                "terminationGracePeriodSeconds": 30,
                "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532},
                "containers": [
                    {
                        "name": NAME,
                        "image": baked("docker.io/library/traefik"),
                        "imagePullPolicy": "IfNotPresent",
                        "args": [
                            "--global.checknewversion=false",
                            "--global.sendanonymoususage=false",
                            "--entrypoints.web.address=:8000",
                            "--entrypoints.websecure.address=:8443",
                            "--entrypoints.traefik.address=:8080",
                            "--ping=true",
                            "--log.level=INFO",
                            # Half a second after a pod came or went, requests go where they should.
                            "--providers.providersthrottleduration=500ms",
                            "--providers.kubernetesingress=true",
                            f"--providers.kubernetesingress.ingressclass={CLASS}",
                            f"--providers.kubernetesingress.ingressendpoint.publishedservice={NAME}/{NAME}",
                        ],
                        "ports": [
                            {"name": "web", "containerPort": 8000},
                            {"name": "websecure", "containerPort": 8443},
                            {"name": "ping", "containerPort": 8080},
                        ],
                        "startupProbe": {**PING, "periodSeconds": 1, "failureThreshold": 300},
                        "readinessProbe": {**PING, "periodSeconds": 5},
                        "livenessProbe": {**PING, "periodSeconds": 10},
                        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "capabilities": {"drop": ["ALL"]},
                            "readOnlyRootFilesystem": True,
                        },
                    }
                ],
            },
        },
    }


ADDON = Addon(NAME, frozenset({"ingress"}), TraefikSettings, objects)
