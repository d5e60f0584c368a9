"""A lab of three machines behind a Kubernetes API on loopback, with an app that answers, and what describes it."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers.kubernetes import Kubernetes
from tests.unit.verify.kubectl_fake import FakeKubectl

MACHINES = (
    {"name": "dev-control-plane", "role": "master", "address": "10.200.1.11"},
    {"name": "dev-worker", "role": "worker", "address": "10.200.1.21"},
    {"name": "dev-worker2", "role": "worker", "address": "10.200.1.22"},
)


@dataclass
class FakeLab:
    """The API, the app at one port, kubectl, and the file that tests.support.dashboard reads."""

    api: Kubernetes
    kubectl: FakeKubectl
    port: int
    file: Path
    data: dict[str, Any] = field(default_factory=dict)

    def describe(self, **changed: Any) -> None:
        """Write the file: what changed, and the rest as before."""
        self.data |= changed
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps(self.data))
        fresh.replace(self.file)


@pytest.fixture
def app() -> Iterator[int]:
    """stacklab/echo as one pod has it; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"pod": "kubia-7d4b9-x2x4z"}')

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    with contextlib.closing(server.socket):
        yield int(server.server_address[1])
        server.shutdown()


@pytest.fixture
def lab(tmp_path: Path, app: int) -> Iterator[FakeLab]:
    with Kubernetes(tmp_path / "api") as api:
        fill(api)
        kubectl = FakeKubectl(tmp_path / "kubectl")
        kubectl.on("port-forward", stdout=f"Forwarding from 127.0.0.1:{app} -> 8080\n", wait=True)
        made = FakeLab(api, kubectl, app, tmp_path / "lab.json")
        made.describe(
            stack="dev",
            backend="kind",
            kubectl=str(kubectl.path),
            kubeconfig=str(api.kubeconfig),
            states={machine["name"]: "running" for machine in MACHINES},
            machines=MACHINES,
            apps=["kubia"],
            exposures=exposures(app),
        )
        yield made


def exposures(port: int) -> list[dict[str, Any]]:
    here = {"app": "kubia", "address": "127.0.0.1", "port": port}
    forward = "kubectl --kubeconfig /lab/kubeconfig port-forward --namespace default service/kubia 8080:80"
    inside = {"kind": "clusterip", "command": forward, "host": "kubia.default.svc.cluster.local", "port": 80}
    curl = f"curl -H 'Host: kubia.example.com' http://127.0.0.1:{port}/"
    return [
        {**here, **inside, "address": "10.96.0.42"},
        {**here, "kind": "nodeport", "url": f"http://127.0.0.1:{port}/", "host": "127.0.0.1"},
        {**here, "kind": "loadbalancer", "url": f"http://127.0.0.1:{port}/", "host": "127.0.0.1"},
        {**here, "kind": "ingress", "url": "http://kubia.example.com/", "command": curl, "host": "kubia.example.com"},
    ]


def fill(api: Kubernetes) -> None:
    for machine, cpu, memory in zip(MACHINES, ("210m", "96m", "1650m"), ("912Mi", "401Mi", "455Mi"), strict=True):
        api.add_node(machine["name"], machine["address"], cpu=cpu, memory=memory)
    api.add_pod("kubia-7d4b9-x2x4z", "dev-worker", app="kubia", address="10.244.1.5")
    api.add_pod("kubia-7d4b9-h8k2m", "dev-worker2", app="kubia", address="10.244.2.7")
    api.add_pod("kubia-7d4b9-q9w7t", "dev-worker2", app="kubia", address="10.244.2.8", restarts=1)
    for name, on in (("coredns-5f6c", "dev-control-plane"), ("etcd-dev", "dev-control-plane")):
        api.add_pod(name, on, namespace="kube-system", cpu="12m", memory="34Mi", address="10.244.0.3")
    for number, machine in enumerate(MACHINES):
        api.add_pod(f"calico-node-{number}", machine["name"], namespace="kube-system", cpu="25m", memory="120Mi")
    api.add_event("Successfully assigned default/kubia-7d4b9-x2x4z to dev-worker", about="kubia-7d4b9-x2x4z")
    api.add_event("Readiness probe failed: HTTP 503", kind="Warning", reason="Unhealthy", about="kubia-7d4b9-q9w7t")
