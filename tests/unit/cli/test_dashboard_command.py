"""`stacklab dashboard` from the command line: only the lab, its outputs and the store are stand-ins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import addons
from modules.base.errors import StacklabError
from modules.cli import main as entry
from modules.cli import stacks
from modules.pages import serve
from modules.topology.known import Known
from modules.topology.parse import parse
from tests.support.servers.kubernetes import Kubernetes
from tests.unit.dashboard.conftest import MACHINES, fill

SPEC = {"backend": "kind", "apps": [{"name": "kubia", "replicas": 3}]}


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    with Kubernetes(tmp_path / "api") as api:
        fill(api)
        made: dict[str, Any] = {"kubeconfigFile": str(api.kubeconfig), "machines": MACHINES, "exposures": []}
        known = Known(kubernetes=("1.36.3",), addons=addons.facts())
        monkeypatch.setattr(stacks, "load", lambda stack: parse(SPEC, known))
        monkeypatch.setattr("modules.pulumi_home.stack_outputs", lambda stack: made)
        monkeypatch.setattr("modules.artifacts.binary", lambda name: tmp_path / name)
        yield made


def test_one_look_as_json(outputs: dict[str, Any]) -> None:
    ran = CliRunner().invoke(entry.build(), ["dashboard", "dev", "--json"])
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.stdout)
    assert (found["stack"], found["backend"]) == ("dev", "kind")
    assert [m["name"] for m in found["machines"]] == [m["name"] for m in MACHINES]
    assert sum(pod["app"] == "kubia" for pod in found["pods"]) == 3


def test_a_stack_that_is_not_up_is_told_with_the_next_step(outputs: dict[str, Any]) -> None:
    outputs.clear()
    for words in (["dashboard", "dev", "--json"], ["dashboard", "dev", "--no-browser"]):
        ran = CliRunner().invoke(entry.build(), words)
        assert isinstance(ran.exception, StacklabError)
        assert "no running lab" in str(ran.exception)
        assert "make up STACK=dev" in str(ran.exception)


def test_a_port_that_is_taken(outputs: dict[str, Any]) -> None:
    with serve.listen() as taken:
        ran = CliRunner().invoke(entry.build(), ["dashboard", "dev", "--port", str(taken.getsockname()[1])])
    assert isinstance(ran.exception, StacklabError)
    assert "another --port" in str(ran.exception)


@pytest.mark.parametrize("port", ["70000", "-1", "many"])
def test_what_is_no_port(outputs: dict[str, Any], port: str) -> None:
    ran = CliRunner().invoke(entry.build(), ["dashboard", "dev", "--port", port])
    assert ran.exit_code == 2
    assert "--port" in ran.output
