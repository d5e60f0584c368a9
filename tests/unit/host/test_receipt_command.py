"""`stacklab receipt`: what it prints, and the exit status that `make down` relies on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from modules.cli import receipt as command
from modules.host import receipt
from modules.host.receipt import Leftover, Receipt

CLEAN = Receipt("dev", True, (), (Leftover("mount", "/run/netns", "umount /run/netns"),), (), (), ())
LEFT = Receipt("dev", True, (Leftover("link", "veth9", "ip link delete veth9"),), (), (), (), ("firewall rules: x",))


def run(found: Receipt, monkeypatch: pytest.MonkeyPatch, *args: str) -> Result:
    monkeypatch.setattr(receipt, "receipt", lambda _: found)
    app = typer.Typer()
    app.callback()(lambda: None)
    command.register(app)
    return CliRunner().invoke(app, ["receipt", "dev", *args])


def test_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(CLEAN, monkeypatch)
    assert (result.exit_code, result.stdout) == (0, "dev: nothing is left\n")
    assert "1 things of the container engine itself" in result.stderr


def test_something_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(LEFT, monkeypatch)
    assert result.exit_code == 1
    assert "ip link delete veth9" in result.stdout
    assert "not looked at: firewall rules" in result.stderr


def test_all_lists_what_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "umount /run/netns" in run(CLEAN, monkeypatch, "--all").stdout


def test_json(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(LEFT, monkeypatch, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["leftovers"] == [
        {"kind": "link", "name": "veth9", "command": "ip link delete veth9"}
    ]


def test_save(monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[str] = []

    def save(stack: str) -> Path:
        saved.append(stack)
        return Path("/x")

    monkeypatch.setattr(receipt, "save", save)
    assert run(LEFT, monkeypatch, "--save").exit_code == 0
    assert saved == ["dev"]
