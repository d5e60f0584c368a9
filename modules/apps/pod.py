"""The pods of an app: one container with probes, requests, environment, volume, and an end without lost requests."""

from __future__ import annotations

from typing import Any

from modules.manifests.images import baked
from modules.topology.model import ECHO, Amount, App
from modules.topology.values import format_size

CLASS = "local-path"
VOLUME = "data"
# Seconds between "this pod goes" and its end: every machine has taken its address out of its rules by then.
# stacklab/echo itself goes on answering for three more.
PAUSE = {True: 2, False: 5}
# Seconds for a probe's answer: with Kubernetes' own one, a host that is short of time takes pods out of service.
ANSWERS = 5


def labels(app: App) -> dict[str, str]:
    """On everything of an app; the first is what selectors use, and what `kubectl get pods -l app=` is typed with."""
    return {"app": app.name, "app.kubernetes.io/name": app.name, "app.kubernetes.io/managed-by": "stacklab"}


def selector(app: App) -> dict[str, str]:
    return {"app": app.name}


def is_echo(image: str) -> bool:
    return image.removeprefix("docker.io/").partition(":")[0] == ECHO


def image_of(app: App) -> str:
    """stacklab/echo without a tag is the one that is baked into every machine."""
    name = app.image.removeprefix("docker.io/")
    return baked(f"docker.io/{ECHO}") if name == ECHO else app.image


def claim(app: App) -> dict[str, Any]:
    """The spec of a claim on the lab's StorageClass."""
    if app.volume is None:
        return {}
    return {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": CLASS,
        "resources": {"requests": {"storage": _bytes(app.volume.size)}},
    }


def template(app: App, volume: dict[str, Any] | None, *, restart: str = "") -> dict[str, Any]:
    """The pod template. `volume` is where the data come from, None when the workload adds the claim itself."""
    spec: dict[str, Any] = {
        "containers": [_container(app, stays=not restart)],
        # Otherwise Kubernetes adds variables such as KUBIA_PORT for every service.
        "enableServiceLinks": False,
    }
    if restart:
        spec["restartPolicy"] = restart
    else:
        spec["terminationGracePeriodSeconds"] = 30
        spec["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": selector(app)},
            }
        ]
    if volume:
        spec["volumes"] = [{"name": VOLUME, **volume}]
    return {"metadata": {"labels": labels(app)}, "spec": spec}


def _container(app: App, *, stays: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"name": app.name, "image": image_of(app), "imagePullPolicy": "IfNotPresent"}
    if app.command:
        found["command"] = list(app.command)
    if app.args:
        found["args"] = list(app.args)
    found["ports"] = [{"name": "http", "containerPort": app.port}]
    if env := _env(app):
        found["env"] = env
    if resources := _resources(app):
        found["resources"] = resources
    if app.volume is not None:
        found["volumeMounts"] = [{"name": VOLUME, "mountPath": app.volume.path}]
    if app.probes.ready:
        found["readinessProbe"] = _probe(app.probes.ready, period=2)
    if app.probes.live:
        found["livenessProbe"] = _probe(app.probes.live, period=10)
    if stays:
        found["lifecycle"] = {"preStop": {"sleep": {"seconds": PAUSE[is_echo(app.image)]}}}
    return found


def _probe(path: str, *, period: int) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": "http"}, "periodSeconds": period, "timeoutSeconds": ANSWERS}


def _env(app: App) -> list[dict[str, Any]]:
    """What the stack file says; for stacklab/echo also its port and who it is, by the downward API."""
    given = [{"name": name, "value": value} for name, value in sorted(app.env.items())]
    if not is_echo(app.image):
        return given
    fields = {
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "POD_IP": "status.podIP",
        "NODE_NAME": "spec.nodeName",
    }
    known: list[dict[str, Any]] = [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()
    ]
    ours = [*known, {"name": "PORT", "value": str(app.port)}]
    return [*(e for e in ours if e["name"] not in app.env), *given]


def _resources(app: App) -> dict[str, Any]:
    both = {"requests": _amount(app.resources.requests), "limits": _amount(app.resources.limits)}
    return {key: value for key, value in both.items() if value}


def _amount(amount: Amount) -> dict[str, str]:
    found = {}
    if amount.cpu is not None:
        found["cpu"] = f"{amount.cpu}m"
    if amount.memory is not None:
        found["memory"] = _bytes(amount.memory)
    return found


def _bytes(size: int) -> str:
    """As Kubernetes spells it: 64Mi."""
    return format_size(size).removesuffix("B")
