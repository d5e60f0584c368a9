"""`class drift`, `class repair` and `class reset` from the command line; Pulumi and the cluster are taught ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from modules.base.errors import StacklabError
from modules.classroom import drift_look, lock
from modules.classroom.compare import Change
from modules.classroom.drift import Drift, Finding
from modules.classroom.drift_look import Where
from modules.classroom.engine import TAKING_BACK, Engine
from modules.cli import class_base
from modules.cli import main as entry

CHANGED = (Finding("edited", "lab", "Deployment", "default", "kubia", "", (Change("spec.replicas", "2", "5"),)),)


class FakeEngine:
    """Pulumi, as far as these commands ask it: remembers what was asked, in order."""

    def __init__(self, *there: str) -> None:
        self.there, self.asked, self.failing = set(there), list[str](), ""

    def stacks(self) -> Mapping[str, Any]:
        return {one: SimpleNamespace(resource_count=9, last_update=None) for one in self.there}

    def up(
        self, stack: str, *, new: bool, progress: Any, on_phase: Any, refresh: bool = False, program: Any = None
    ) -> None:
        self.asked.append(f"{'repair' if refresh else 'up'} {stack}{' new' if new else ''}")
        self.there.add(stack)

    def down(self, stack: str, *, progress: Any, on_phase: Any, program: Any = None) -> None:
        self.asked.append(f"down {stack}")
        if stack == self.failing:
            raise StacklabError("it will not go")
        self.there.discard(stack)

    def interrupt(self) -> None:
        """Nobody asks."""


@pytest.fixture
def school(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    data = {
        "roster": [{"id": "s01"}, {"id": "s02"}],
        "template": "small",
        "hosts": [{"name": "here", "memory": "64GiB", "cpus": 64, "disk": "1TiB"}],
        "limits": {"parallel": 1},
    }
    (checkout / "classes" / "pair.yaml").write_text(yaml.safe_dump(data))
    monkeypatch.setattr(class_base, "surroundings", lambda: None)
    return checkout


def run(*words: str) -> Result:
    return CliRunner().invoke(entry.build(), ["class", *words])


def use(monkeypatch: pytest.MonkeyPatch, engine: FakeEngine) -> FakeEngine:
    monkeypatch.setattr(class_base, "engine", lambda: engine)
    return engine


# -- drift ---------------------------------------------------------------------------------------------------------


def answers(monkeypatch: pytest.MonkeyPatch, **found: Drift) -> list[Where]:
    asked: list[Where] = []

    def everybody(students: list[Where]) -> list[Drift]:
        asked.extend(students)
        return [found.get(one.id, Drift(one.id, one.stack)) for one in students]

    monkeypatch.setattr(drift_look, "everybody", everybody)
    return asked


def test_no_drift(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers(monkeypatch)
    ran = run("drift", "pair")
    assert (ran.exit_code, ran.stdout) == (0, "pair: 2 as declared\n")
    assert [one.stack for one in asked] == ["pair-s01", "pair-s02"]
    assert asked[0].kubeconfig == school / ".stacklab" / "labs" / "pair-s01" / "kubeconfig"
    assert asked[0].namespace == ""


def test_drift_of_one_student_as_table_json_and_page(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers(monkeypatch, s01=Drift("s01", "pair-s01", CHANGED))
    file = school / "drift.html"
    ran = run("drift", "pair", "s01", "--html", str(file))
    assert ran.exit_code == 1
    assert "s01      edited  lab's  Deployment  default/kubia  spec.replicas: 2 -> 5" in ran.stdout
    assert "default/kubia" in file.read_text()
    assert [one.id for one in asked] == ["s01"]
    data = json.loads(run("drift", "pair", "--json").stdout)
    assert [one["ok"] for one in data["students"]] == [False, True]


def test_one_that_cannot_be_looked_at(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, s01=Drift("s01", "pair-s01", CHANGED), s02=Drift("s02", "pair-s02", error="not up"))
    ran = run("drift", "pair")
    assert ran.exit_code == 2
    assert "not seen" in ran.stdout
    assert "1 of 1 changed something, 1 not seen" in ran.stdout


def test_a_page_that_cannot_be_written(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch)
    ran = run("drift", "pair", "--html", str(school / "none" / "drift.html"))
    assert "cannot be written" in str(ran.exception)


def test_a_share_is_looked_at_in_the_shared_lab(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = school / "classes" / "pair.yaml"
    data = yaml.safe_load(file.read_text()) | {"tenancy": "namespace", "shared": {"stack": "small"}}
    file.write_text(yaml.safe_dump({key: value for key, value in data.items() if key != "hosts"}))
    asked = answers(monkeypatch)
    assert run("drift", "pair").exit_code == 0
    assert asked[0].kubeconfig == school / ".stacklab" / "labs" / "small" / "kubeconfig"
    assert asked[0].namespace == "pair-s01"


@pytest.mark.parametrize("command", [("drift",), ("repair",), ("reset", "--yes")])
def test_a_misspelt_student(school: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    engine = use(monkeypatch, FakeEngine("pair-s01"))
    ran = run(command[0], "pair", "s1", *command[1:])
    assert isinstance(ran.exception, StacklabError)
    assert "there is no such student: s1" in str(ran.exception)
    assert "did you mean s01?" in str(ran.exception)
    assert engine.asked == []


# -- repair --------------------------------------------------------------------------------------------------------


def test_repair_refreshes_these_students_alone(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = use(monkeypatch, FakeEngine("pair-s01", "pair-s02"))
    ran = run("repair", "pair", "s02", "--json")
    assert ran.exit_code == 0, ran.output
    assert engine.asked == ["repair pair-s02"]
    data = json.loads(ran.stdout)
    assert (data["verb"], [one["state"] for one in data["students"]]) == ("repaired", ["done"])
    assert lock.held("pair") == ""


def test_repair_makes_no_lab(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = use(monkeypatch, FakeEngine("pair-s01"))
    ran = run("repair", "pair", "s01", "s02")
    assert "no lab to put right: s02" in str(ran.exception)
    assert "stacklab class up pair --only s02" in str(ran.exception)
    assert engine.asked == []
    assert run("repair", "pair").exit_code == 2


def test_repair_takes_back_what_a_student_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without force the provider's apply meets kubectl's fields, and ends in a conflict."""
    from modules.classroom import engine as module

    asked: list[tuple[dict[str, str], Any]] = []
    command = SimpleNamespace(command="pulumi", version=None)
    monkeypatch.setattr(module, "_Command", lambda: command)
    monkeypatch.setattr(module._Workspace, "__init__", lambda self, **kw: setattr(self, "env_vars", kw.get("env_vars")))

    class Stack:
        def __init__(self, name: str, workspace: Any, mode: Any) -> None:
            self.name, self.workspace = name, workspace

        def up(self, **words: Any) -> None:
            asked.append((self.workspace.env_vars, words["refresh"]))

    monkeypatch.setattr(module, "_Stack", Stack)
    made = Engine()
    progress = SimpleNamespace(end=lambda now: None, errors=[])
    for refresh in (False, True):
        made.up("pair-s01", new=False, progress=progress, on_phase=lambda: None, refresh=refresh)  # type: ignore[arg-type]
    assert asked == [(None, False), (TAKING_BACK, True)]


# -- reset ---------------------------------------------------------------------------------------------------------


def test_reset_removes_and_makes_anew(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = use(monkeypatch, FakeEngine("pair-s01", "pair-s02"))
    ran = run("reset", "pair", "s01", "--yes", "--json")
    assert ran.exit_code == 0, ran.output
    assert engine.asked == ["down pair-s01", "up pair-s01 new"]
    assert json.loads(ran.stdout)["verb"] == "reset"
    assert (school / "stacks" / "Pulumi.pair-s01.yaml").exists()


def test_reset_goes_on_with_those_that_could_be_removed(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = use(monkeypatch, FakeEngine("pair-s01", "pair-s02"))
    engine.failing = "pair-s01"
    ran = run("reset", "pair", "s01", "s02", "--yes")
    assert ran.exit_code == 1
    assert sorted(engine.asked) == ["down pair-s01", "down pair-s02", "up pair-s02 new"]
    assert "it will not go" in ran.stdout


def test_reset_asks(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = use(monkeypatch, FakeEngine("pair-s01"))
    alone = run("reset", "pair", "s01")
    assert "nobody is there to ask" in str(alone.exception)
    assert "s01: pair-s01 (9 resources), with everything that was made in it" in alone.stderr
    monkeypatch.setattr("modules.cli.class_reset.sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    no = CliRunner().invoke(entry.build(), ["class", "reset", "pair", "s01"], input="n\n")
    assert (no.exit_code, engine.asked) == (1, [])
    yes = CliRunner().invoke(entry.build(), ["class", "reset", "pair", "s01"], input="y\n")
    assert yes.exit_code == 0, yes.output
    assert engine.asked == ["down pair-s01", "up pair-s01 new"]


def test_reset_takes_nothing_from_whom_it_has_no_place_for(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = school / "classes" / "pair.yaml"
    data = yaml.safe_load(file.read_text())
    data["hosts"][0]["memory"] = "200MiB"
    file.write_text(yaml.safe_dump(data))
    engine = use(monkeypatch, FakeEngine("pair-s01"))
    ran = run("reset", "pair", "s01", "--yes")
    assert "nothing was removed" in str(ran.exception)
    assert engine.asked == []
