"""`class up` and `class verify` for students who share a lab: no program for each where one does for all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from modules import pulumi_home
from modules.classroom import holder, outcomes, tenant
from modules.cli import class_base
from modules.cli import main as entry
from modules.verify import web
from modules.verify.web import Reply

APP = {"name": "kubia", "expose": [{"clusterip": {}}, {"ingress": {"host": "kubia.example.com"}}]}
LAB = {"backend": "kind", "masters": 1, "workers": 0, "addons": ["calico", "metallb", "traefik"], "apps": [APP]}
SALT = "v1:FI1jsnSZoyw=:v1:YAdJw73TbLOYH2rL:WjS5"


class FakeEngine:
    """Pulumi, as far as these commands ask it."""

    def __init__(self, *there: str) -> None:
        self.there, self.programs = set(there), dict[str, Callable[[], None] | None]()

    def stacks(self) -> Mapping[str, Any]:
        return {one: SimpleNamespace(resource_count=9, last_update=None) for one in self.there}

    def up(self, stack: str, *, program: Callable[[], None] | None, **_: object) -> None:
        self.programs[stack] = program


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A class of two, with a shared lab that was up once."""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "classes").mkdir()
    stack = {"encryptionsalt": SALT, "config": {"stacklab:lab": LAB}}
    (tmp_path / "stacks" / "Pulumi.shared.yaml").write_text(yaml.safe_dump(stack))
    write(tmp_path, "namespace")
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))
    monkeypatch.setattr(class_base, "surroundings", lambda: None)
    return tmp_path


def write(folder: Path, tenancy: str) -> None:
    roster = [{"id": "s01"}, {"id": "s02"}]
    hosts = [{"name": "this-host", "memory": "64GiB", "cpus": 16, "disk": "500GiB"}]
    data = {"roster": roster, "template": "shared", "tenancy": tenancy, "hosts": hosts, "limits": {"parallel": 1}}
    (folder / "classes" / "pair.yaml").write_text(yaml.safe_dump(data))


def use(monkeypatch: pytest.MonkeyPatch, *there: str) -> FakeEngine:
    engine = FakeEngine(*there)
    monkeypatch.setattr(class_base, "engine", lambda: engine)
    return engine


def run(*words: str) -> Result:
    return CliRunner().invoke(entry.build(), ["class", *words])


def test_shares_are_told_by_this_process(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = use(monkeypatch, "shared")
    told: list[str] = []
    monkeypatch.setattr(tenant, "deploy", lambda: told.append("a share"))
    ran = run("up", "pair", "--json")
    assert ran.exit_code == 0, ran.output
    assert sorted(engine.programs) == ["pair-s01", "pair-s02"]
    program = engine.programs["pair-s01"]
    assert program is not None
    program()
    assert told == ["a share"]


def test_a_lab_has_a_program_of_its_own(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(school, "cluster")
    engine = use(monkeypatch)
    monkeypatch.setattr("modules.classroom.surroundings.inotify_used", lambda: 0)
    assert run("up", "pair", "--only", "s01", "--json").exit_code == 0
    assert engine.programs == {"pair-s01": None}


def test_one_who_is_refused_has_no_failed_lab(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = use(monkeypatch, "shared")

    def up(stack: str, **_: object) -> None:
        if stack == "pair-s01":
            raise holder.refusal(stack, holder.Holder("ada", "lab-pc", 77, ""), "")

    monkeypatch.setattr(engine, "up", up)
    ran = run("up", "pair")
    assert ran.exit_code == 1
    assert "changing this lab: ada on lab-pc (process 77)" in ran.output
    assert {one: outcome["state"] for one, outcome in outcomes.load("pair").items()} == {"s02": "done"}


def test_one_who_is_refused_stays_as_it_was(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = use(monkeypatch, "shared")

    def up(stack: str, **_: object) -> None:
        raise holder.refusal(stack, holder.Holder("ada", "lab-pc", 77, ""), "")

    monkeypatch.setattr(engine, "up", up)
    outcomes.note("pair", "s01", "up", "failed", "no room")
    before = outcomes.load("pair")
    assert run("up", "pair").exit_code == 1
    assert outcomes.load("pair") == before


def test_shares_have_the_key_of_the_lab_that_they_read(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "shared")
    file = school / "stacks" / "Pulumi.pair-s02.yaml"
    assert run("up", "pair", "--json").exit_code == 0
    assert yaml.safe_load(file.read_text())["encryptionsalt"] == SALT
    file.write_text(file.read_text().replace(SALT, "v1:another"))
    assert run("up", "pair", "--json").exit_code == 0
    assert yaml.safe_load(file.read_text())["encryptionsalt"] == "v1:another", "one that is there stays"


def test_shares_are_asked_by_name_at_the_labs_own_address(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "shared", "pair-s01")
    asked: list[str] = []

    def outputs(stack: str) -> dict[str, Any]:
        asked.append(stack)
        return {"exposures": [{"kind": "nodeport", "address": "10.0.0.1"}, {"kind": "ingress", "address": "10.0.0.2"}]}

    def ask(url: str, *, host: str = "", timeout: float = 3) -> Reply:
        asked.append(f"{url} {host}")
        return Reply(200)

    monkeypatch.setattr(pulumi_home, "stack_outputs", outputs)
    monkeypatch.setattr(web, "ask", ask)
    ran = run("verify", "pair", "--json")
    assert ran.exit_code == 1, "one has no share yet"
    one, other = json.loads(ran.stdout)["students"]
    assert (one["ok"], other["ok"]) == (True, False)
    assert "pair-s02" in other["error"]
    assert asked == ["shared", "http://10.0.0.2/ s01.kubia.example.com"]
