"""The workload of an app, one function for each kind, and the claim of its volume. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from modules.apps.pod import VOLUME, claim, labels, selector, template
from modules.manifests import Object, not_awaited, ready_when
from modules.topology.model import App

# What learners type `kubectl get pods` into.
NAMESPACE = "default"


def metadata(app: App, name: str = "") -> dict[str, Any]:
    return {"name": name or app.name, "namespace": NAMESPACE, "labels": labels(app)}


def workload(app: App) -> list[Object]:
    """Everything that makes the app run."""
    return KINDS[app.workload](app)


def _deployment(app: App) -> list[Object]:
    spec = {
        "replicas": app.replicas,
        "selector": {"matchLabels": selector(app)},
        # Never fewer pods than asked for: a new one is ready before an old one goes.
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": template(app, _shared(app)),
    }
    return [*_claim(app), {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(app), "spec": spec}]


def _replicaset(app: App) -> list[Object]:
    obj: Object = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": metadata(app),
        "spec": {
            "replicas": app.replicas,
            "selector": {"matchLabels": selector(app)},
            "template": template(app, _shared(app)),
        },
    }
    # The Kubernetes provider waits for the other kinds by itself.
    ready = ready_when(obj, f"jsonpath={{.status.readyReplicas}}={app.replicas}") if app.replicas else obj
    return [*_claim(app), ready]


def _statefulset(app: App) -> list[Object]:
    spec: dict[str, Any] = {
        "replicas": app.replicas,
        "serviceName": f"{app.name}-pods",
        "selector": {"matchLabels": selector(app)},
        "template": template(app, None),
    }
    if app.volume is not None:
        spec["volumeClaimTemplates"] = [
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": VOLUME, "labels": labels(app)},
                "spec": claim(app),
            }
        ]
        # An app that is taken out of the stack file leaves nothing behind; one that is scaled down keeps its data.
        spec["persistentVolumeClaimRetentionPolicy"] = {"whenDeleted": "Delete", "whenScaled": "Retain"}
    names: Object = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(app, f"{app.name}-pods"),
        "spec": {"clusterIP": "None", "selector": selector(app), "ports": [{"name": "http", "port": app.port}]},
    }
    return [
        not_awaited(names),
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata(app), "spec": spec},
    ]


def _daemonset(app: App) -> list[Object]:
    spec = {
        "selector": {"matchLabels": selector(app)},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": template(app, None),
    }
    return [{"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata(app), "spec": spec}]


def _job(app: App) -> list[Object]:
    return [
        *_claim(app),
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata(app), "spec": _run(app)},
    ]


def _cronjob(app: App) -> list[Object]:
    spec = {"schedule": app.schedule, "concurrencyPolicy": "Forbid", "jobTemplate": {"spec": _run(app)}}
    return [*_claim(app), {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata(app), "spec": spec}]


def _run(app: App) -> dict[str, Any]:
    return {
        "completions": app.completions,
        "backoffLimit": 4,
        "template": template(app, _shared(app), restart="OnFailure"),
    }


def _shared(app: App) -> dict[str, Any] | None:
    return {"persistentVolumeClaim": {"claimName": f"{app.name}-data"}} if app.volume else None


def _claim(app: App) -> list[Object]:
    if app.volume is None:
        return []
    obj: Object = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata(app, f"{app.name}-data"),
        "spec": claim(app),
    }
    # It is bound when the first pod that uses it is placed: not before the workload.
    return [not_awaited(obj)]


KINDS: Mapping[str, Callable[[App], list[Object]]] = {
    "deployment": _deployment,
    "replicaset": _replicaset,
    "statefulset": _statefulset,
    "daemonset": _daemonset,
    "job": _job,
    "cronjob": _cronjob,
}
