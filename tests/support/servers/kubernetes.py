"""A Kubernetes API with a small cluster in it, as far as a dashboard reads one: TLS, and only for its own client."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.support.servers.serving import Answer, Asked, Server

Object = dict[str, Any]
THEN = "2026-03-01T10:00:00Z"


class Kubernetes(Server):
    """`objects` are the lists by path; `metrics` False is a cluster without metrics-server; `away` answers 503."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.objects: dict[str, list[Object]] = {
            "/api/v1/nodes": [],
            "/api/v1/pods": [],
            "/api/v1/events": [],
            "/apis/metrics.k8s.io/v1beta1/nodes": [],
            "/apis/metrics.k8s.io/v1beta1/pods": [],
        }
        self.metrics = 200
        self.away = False
        for name in ("server", "client"):
            _certificate(folder, name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.crt", folder / "server.key")
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "client.crt")
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        return f"https://{self.host}"

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig that fits."""
        file = self.folder / "kubeconfig"
        data = {
            "clusters": [{"cluster": {"server": self.url, "certificate-authority-data": self._base64("server.crt")}}],
            "users": [
                {
                    "user": {
                        "client-certificate-data": self._base64("client.crt"),
                        "client-key-data": self._base64("client.key"),
                    }
                }
            ],
        }
        file.write_text(yaml.safe_dump(data))
        return file

    def _base64(self, name: str) -> str:
        return base64.b64encode((self.folder / name).read_bytes()).decode()

    def answer(self, asked: Asked) -> Answer:
        path = asked.path.partition("?")[0]
        if self.away:
            return _json(503, {"message": "the server is currently unable to handle the request"})
        if "metrics" in path and self.metrics != 200:
            return _json(self.metrics, {"message": "no metrics"})
        if path not in self.objects:
            return _json(404, {"message": f"there is no {path}"})
        return _json(200, {"kind": "List", "items": self.objects[path]})

    # -- what is in the cluster ---------------------------------------------------------------------------------

    def add_node(self, name: str, address: str, *, cpu: str = "210m", memory: str = "612Mi") -> None:
        self.objects["/api/v1/nodes"].append(node(name, address))
        self.objects["/apis/metrics.k8s.io/v1beta1/nodes"].append(
            {"metadata": {"name": name}, "usage": {"cpu": cpu, "memory": memory}}
        )

    def add_pod(self, name: str, on: str, *, cpu: str = "3m", memory: str = "11Mi", **more: Any) -> None:
        made = pod(name, on, **more)
        self.objects["/api/v1/pods"].append(made)
        self.objects["/apis/metrics.k8s.io/v1beta1/pods"].append(
            {"metadata": made["metadata"], "containers": [{"usage": {"cpu": cpu, "memory": memory}}]}
        )

    def remove_pod(self, name: str) -> None:
        pods = self.objects["/api/v1/pods"]
        pods[:] = [each for each in pods if each["metadata"]["name"] != name]

    def add_event(self, message: str, *, kind: str = "Normal", reason: str = "Scheduled", about: str = "kubia") -> None:
        self.objects["/api/v1/events"].append(event(message, kind=kind, reason=reason, about=about))


def node(name: str, address: str, *, conditions: Sequence[Object] = ()) -> Object:
    return {
        "metadata": {"name": name},
        "spec": {},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address}],
            "allocatable": {"cpu": "2", "memory": "2Gi", "pods": "110"},
            "conditions": list(conditions) or [{"type": "Ready", "status": "True"}],
            "nodeInfo": {"kubeletVersion": "v1.36.3"},
        },
    }


def pod(
    name: str,
    on: str,
    *,
    app: str = "",
    namespace: str = "default",
    phase: str = "Running",
    ready: bool = True,
    waiting: Object | None = None,
    message: str = "",
    restarts: int = 0,
    ending: bool = False,
    address: str = "10.244.1.5",
) -> Object:
    conditions: list[Object] = [{"type": "Ready", "status": str(ready and phase == "Running")}]
    if not on:
        conditions.append({"type": "PodScheduled", "status": "False", "message": message})
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"app.kubernetes.io/name": app} if app else {},
            **({"deletionTimestamp": THEN} if ending else {}),
        },
        "spec": {"nodeName": on} if on else {},
        "status": {
            "phase": phase,
            "podIP": address if on else "",
            "conditions": conditions,
            "containerStatuses": [
                {"restartCount": restarts, "state": {"waiting": waiting} if waiting else {"running": {}}}
            ],
        },
    }


def event(
    message: str, *, kind: str = "Normal", reason: str = "Scheduled", about: str = "kubia", when: str = THEN
) -> Object:
    return {
        "metadata": {"name": about, "namespace": "default"},
        "type": kind,
        "reason": reason,
        "message": message,
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": about},
        "lastTimestamp": when,
        "count": 1,
    }


def _certificate(folder: Path, name: str) -> None:
    """A key, and a certificate that vouches for itself."""
    folder.mkdir(parents=True, exist_ok=True)
    files = ("-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt")
    words = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    about = ("-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1")
    subprocess.run([*words, *about, *files], check=True, capture_output=True, timeout=60)


def _json(status: int, value: object) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})
