"""`stacklab class measure`: which labs can be measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from modules import artifacts, pulumi_home
from modules.classroom import measure
from modules.classroom.measure import MachineSeen
from modules.cli import main as entry
from modules.host import engine


def lab(checkout: Path, **spec: Any) -> None:
    (checkout / "stacks" / "Pulumi.one.yaml").write_text(yaml.safe_dump({"config": {"stacklab:lab": spec}}))


@pytest.mark.parametrize("backend", ["kind", "minikube"])
def test_machines_in_containers_are_measured(checkout: Path, monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    lab(checkout, backend=backend)
    monkeypatch.setattr(engine, "choose", lambda: None)
    monkeypatch.setattr(artifacts, "binary", lambda _name: Path("kubectl"))
    monkeypatch.setattr(pulumi_home, "stack_outputs", lambda _stack: {})
    monkeypatch.setattr(measure, "look", lambda *_: ([MachineSeen("m", "master", 5e8, 100, 0, 7)], []))
    ran = CliRunner().invoke(entry.build(), ["class", "measure", "one", "--json"])
    assert ran.exit_code == 0, ran.output
    assert '"inotify": 7' in ran.output


def test_virtual_machines_are_not(checkout: Path) -> None:
    lab(checkout, backend="libvirt")
    ran = CliRunner().invoke(entry.build(), ["class", "measure", "one"])
    assert ran.exit_code != 0
    assert "only labs on kind or minikube can be measured, this one is on libvirt" in str(ran.exception)
