"""A lab of three machines in front of a fake kubectl, with probes that run on each."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from modules.verify.context import Context
from modules.verify.kubectl import Kubectl
from modules.verify.lab import App, Exposure, Lab, Machine
from modules.verify.probes import GUARDED, LABEL, PROBE, Probes, Running, running
from tests.unit.verify.kubectl_fake import FakeKubectl

MACHINES = (
    Machine("m-control-plane", "master", "10.200.1.11"),
    Machine("m-worker", "worker", "10.200.1.21"),
    Machine("m-worker2", "worker", "10.200.1.22"),
)


def pod(name: str, node: str, address: str, *, role: str = PROBE, ready: bool = True) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": name, "labels": {LABEL: role}},
        "spec": {"nodeName": node},
        "status": {
            "podIP": address,
            "phase": "Running" if ready else "Pending",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    }


def probe_items() -> list[dict[str, Any]]:
    return [
        {"kind": "DaemonSet", "metadata": {"name": PROBE}, "status": {"desiredNumberScheduled": 3}},
        pod("probe-0", "m-control-plane", "10.244.0.2"),
        pod("probe-1", "m-worker", "10.244.1.2"),
        pod("probe-2", "m-worker2", "10.244.2.2"),
        pod(GUARDED, "m-worker2", "10.244.2.3", role=GUARDED),
    ]


@pytest.fixture
def kubectl(tmp_path: Path) -> FakeKubectl:
    fake = FakeKubectl(tmp_path / "kubectl")
    fake.on("get --raw /readyz", stdout="ok")
    fake.on("apply", "DaemonSet", PROBE)
    fake.on("get daemonsets,pods", stdout={"items": probe_items()})
    fake.on("delete namespace")
    return fake


@pytest.fixture
def kubia() -> App:
    return App("kubia", "deployment", 2, sticky=False, echo=True, volume=False)


class RunningProbes(Probes):
    """Probes that run already: a check is tested without their start and end."""

    def ready(self, patience: float = 10) -> Running:
        return running(probe_items())


@pytest.fixture
def context(kubectl: FakeKubectl, kubia: App, tmp_path: Path) -> Context:
    lab = Lab("dev", tmp_path / "kubeconfig", MACHINES, (kubia,), (), frozenset({"metrics", "network-policy"}))
    door = Kubectl(kubectl.path, lab.kubeconfig)
    return Context(lab, door, RunningProbes(door, "docker.io/stacklab/echo:test"))


Serve = Callable[[Callable[[Mapping[str, str]], tuple[int, str]]], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server on loopback that answers with what a function of the request's headers says; its port."""
    with contextlib.ExitStack() as stack:

        def start(answer: Callable[[Mapping[str, str]], tuple[int, str]]) -> int:
            class Handler(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    status, body = answer(dict(self.headers.items()))
                    self.send_response(status)
                    self.end_headers()
                    self.wfile.write(body.encode())

                def log_message(self, *_: object) -> None:
                    return

            server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return int(server.server_address[1])

        yield start


def pods_in_turn(*names: str) -> Callable[[Mapping[str, str]], tuple[int, str]]:
    """What stacklab/echo answers behind a load balancer."""
    lock = threading.Lock()
    count = 0

    def answer(_: Mapping[str, str]) -> tuple[int, str]:
        nonlocal count
        with lock:
            count += 1
            return 200, json.dumps({"pod": names[count % len(names)]})

    return answer


def exposure(app: App, kind: Any, port: int, **more: Any) -> Exposure:
    return Exposure(
        **{"app": app, "kind": kind, "url": f"http://127.0.0.1:{port}/", "command": "", "host": "",
           "address": "127.0.0.1", "port": port, **more}
    )  # fmt: skip
