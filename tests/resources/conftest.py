"""A host with a stand-in for the container engine and for kind on PATH; everything else is the real code."""

from __future__ import annotations

import json
import sys
import sysconfig
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import pytest

from modules import artifacts
from modules.artifacts import images
from modules.host import engine, facts, network
from modules.host.engine import Engine
from modules.host.facts import NodeHost
from modules.leases import leaders
from modules.local.kind import capacity
from tests.resources.props import IMAGE
from tests.unit.local.cases import Tags

FAKES = Path(__file__).parent / "fakes"


@dataclass(frozen=True)
class Host:
    """What the stand-ins keep, to look at and to tamper with.

    rested: of each start, whether leaders from before it were known to be gone.
    """

    engine: Engine
    folder: Path
    project: Path
    rested: list[bool] = field(default_factory=list)

    @property
    def state(self) -> dict[str, Any]:
        file = self.folder / "state.json"
        empty: dict[str, Any] = {"containers": {}, "networks": {}, "volumes": {}, "calls": {"all": []}}
        return json.loads(file.read_text()) if file.exists() else empty

    def change(self, state: dict[str, Any]) -> None:
        (self.folder / "state.json").write_text(json.dumps(state))

    @property
    def containers(self) -> dict[str, Any]:
        found: dict[str, Any] = self.state["containers"]
        return found

    def calls(self, *start: str) -> list[list[str]]:
        return [call for call in self.state["calls"]["all"] if call[: len(start)] == list(start)]

    def kind_breaks_after(self, nodes: int | None) -> None:
        file = self.folder / "kind-breaks"
        file.unlink() if nodes is None else file.write_text(str(nodes))


class _Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """The tests' output stays theirs."""


@pytest.fixture(scope="session")
def api() -> Iterator[str]:
    """Something that says it is ready, as an API server does."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Ready)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def install(folder: Path, name: str, script: Path) -> Path:
    """Without `site` a Python starts in a third of the time, and the stand-ins are called thousands of times."""
    program = folder / name
    libraries = f"export PYTHONPATH={sysconfig.get_path('purelib')}"
    python = f'exec {sys.executable} -S {script} "$@"'
    program.write_text(f"#!/bin/sh\nexport FAKE_ENGINE_NAME={name}\n{libraries}\n{python}\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def engine_name() -> Literal["podman", "docker"]:
    """What most tests run with; tests.resources.props.on_both are those that see the engines' different answers."""
    return "podman"


@pytest.fixture
def host(engine_name: Literal["podman", "docker"], api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    bin_folder, kept = tmp_path / "bin", tmp_path / "engine"
    bin_folder.mkdir()
    kept.mkdir()
    (kept / "api").write_text(api)
    program = install(bin_folder, engine_name, FAKES / "engine.py")
    kind = install(bin_folder, "kind", FAKES / "kind.py")
    chosen = Engine(engine_name, str(program), {"FAKE_ENGINE_STATE": str(kept)})
    node_host = NodeHost(cgroup_v1=True, restrict_oom=True, modules_dir=tmp_path / "modules", engine=engine_name)
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path / "checkout"))
    monkeypatch.setattr(engine, "choose", lambda _name=None: chosen)
    monkeypatch.setattr(facts, "node_host", lambda _facts, _engine: node_host)
    monkeypatch.setattr(network, "routes", lambda: ())
    monkeypatch.setattr(capacity, "inotify_used", lambda: 0)
    monkeypatch.setattr(artifacts, "binary", lambda _name: kind)
    monkeypatch.setattr(artifacts, "release", lambda _version: Tags())
    monkeypatch.setattr(images, "ensure_node_image", lambda _version, _engine, addons: IMAGE)
    monkeypatch.setattr(images, "ensure_load_balancer_image", lambda _engine: "image")
    made = Host(chosen, kept, tmp_path / "checkout")
    monkeypatch.setattr(leaders, "release", lambda _, until, **__: made.rested.append(until is not None))
    return made
