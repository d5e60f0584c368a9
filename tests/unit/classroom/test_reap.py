"""Classes whose last day has passed: which day that is, what goes, and what the exit status says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from modules.base.errors import StacklabError
from modules.classroom import folder, lock, reap
from modules.classroom.parse import Class
from modules.classroom.work import Outcome
from modules.cli import class_base, class_down, class_reap
from modules.cli import main as entry
from tests.unit.classroom.conftest import Make

LAST = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("today", "over"),
    [(date(2026, 11, 19), False), (LAST, False), (date(2026, 11, 21), True), (date(2027, 1, 1), True)],
)
def test_the_last_day_is_a_day_of_the_class(today: date, over: bool) -> None:
    assert reap.over(LAST, today) is over
    assert reap.over(None, today) is False
    assert (reap.verdict("cka", LAST, today).due == "over") is over
    if over:
        with pytest.raises(StacklabError, match="over since 2026-11-20"):
            reap.require_open("cka", LAST, today)
    else:
        reap.require_open("cka", LAST, today)


def test_the_day_is_told() -> None:
    assert reap.verdict("cka", LAST, LAST).why == "expires after 2026-11-20, today"
    assert reap.verdict("cka", LAST, date(2026, 11, 10)).why == "expires after 2026-11-20, in 10 days"
    assert reap.verdict("cka", None, LAST).due == "endless"


class School:
    """Labs that are there, and how taking them down ends."""

    def __init__(self) -> None:
        self.stacks: set[str] = set()
        self.taken: list[str] = []
        self.left: list[dict[str, Any]] = []
        self.state = "done"
        self.interrupted = 0

    def take_down(self, made: Class) -> class_down.Removed:
        self.taken.append(made.name)
        assert lock.held(made.name)
        found: Mapping[str, Outcome] = {"s01": Outcome("s01", self.state)}
        session: Any = SimpleNamespace(interrupted=self.interrupted)
        return class_down.Removed(session, found, self.left, 1.0)


@pytest.fixture
def school(tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch) -> School:
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))
    made = School()
    monkeypatch.setattr(class_base, "engine", lambda: SimpleNamespace(stacks=lambda: dict.fromkeys(made.stacks)))
    monkeypatch.setattr(class_down, "take_down", made.take_down)
    return made


def run(*words: str) -> Result:
    return CliRunner().invoke(entry.build(), ["class", "reap", *words])


def cards(tmp_path: Path, name: str) -> Path:
    file = tmp_path / "classes" / f"{name}.yaml"
    folder.write(folder.make(file, "s01") / "kubeconfig", "a token")
    return folder.of(file)


def test_a_class_that_is_over_goes_with_its_cards(school: School, make: Make, tmp_path: Path) -> None:
    make(expires="2020-01-01")
    school.stacks = {"cka-s01"}
    inside = cards(tmp_path, "cka")
    shown = run("cka", "--dry-run")
    assert (shown.exit_code, school.taken, inside.exists()) == (0, [], True)
    assert "would go" in shown.stdout
    assert "1 lab and 1 card" in shown.stdout
    ran = run("cka")
    assert (ran.exit_code, school.taken, inside.exists()) == (0, ["cka"], False)
    assert "removed" in ran.stdout
    school.stacks = set()
    again = run("cka")
    assert (again.exit_code, school.taken) == (0, ["cka"])
    assert "nothing to do" in again.stdout


def test_cards_without_a_lab_go_too(school: School, make: Make, tmp_path: Path) -> None:
    make(expires="2020-01-01")
    inside = cards(tmp_path, "cka")
    assert run("cka").exit_code == 0
    assert (school.taken, inside.exists()) == ([], False)


def test_a_class_that_goes_on_is_kept(school: School, make: Make, tmp_path: Path) -> None:
    make(expires=date.today().isoformat())
    school.stacks = {"cka-s01"}
    inside = cards(tmp_path, "cka")
    ran = run("--all")
    assert (ran.exit_code, school.taken, inside.exists()) == (0, [], True)
    assert f"expires after {date.today()}, today" in ran.stdout


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"left": [{"kind": "container", "name": "x"}]}, 1),
        ({"state": "failed"}, 1),
        ({"interrupted": 1, "state": "skipped"}, 130),
    ],
)
def test_what_is_left_is_told(school: School, make: Make, tmp_path: Path, change: dict[str, Any], status: int) -> None:
    make(expires="2020-01-01")
    school.stacks = {"cka-s01"}
    vars(school).update(change)
    inside = cards(tmp_path, "cka")
    ran = run("cka")
    assert (ran.exit_code, inside.exists()) == (status, True)
    assert "left" in ran.stdout


def test_a_broken_class_stops_no_other(school: School, make: Make, tmp_path: Path) -> None:
    make("over", expires="2020-01-01")
    make("zz", expires="2030-01-01")
    (tmp_path / "classes" / "aa.yaml").write_text("roster: [")
    (tmp_path / "classes" / "over.places.yaml").write_text("addresses: {range: 10.0.0.0/12, each: 24}\nstudents: {}\n")
    school.stacks = {"over-s01"}
    ran = run("--all", "--json")
    assert ran.exit_code == 2
    assert {row["name"]: row["result"] for row in json.loads(ran.stdout)["classes"]} == {
        "aa": "failed",
        "over": "removed",
        "zz": "kept",
    }


def test_classes_are_named_or_all_of_them(school: School) -> None:
    for words in ([], ["cka", "--all"]):
        ran = run(*words)
        assert isinstance(ran.exception, StacklabError)


def test_a_class_that_somebody_changes_is_left(school: School, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make(expires="2020-01-01")
    school.stacks = {"cka-s01"}
    with lock.hold("cka"):
        ran = run("cka")
    assert (ran.exit_code, school.taken) == (2, [])
    assert "another command is changing this class" in ran.stdout


def test_the_worst_is_the_status() -> None:
    rows = [class_reap.Reaped("a", result, "") for result in ("kept", "left", "failed")]
    assert [class_reap.status_of(rows[:n]) for n in (1, 2, 3)] == [0, 1, 2]


def test_down_takes_the_cards_of_labs_that_are_gone(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))
    made = make(roster=[{"id": "s01"}, {"id": "s02"}])
    for one in ("s01", "s02"):
        folder.write(folder.make(made.file, one) / "kubeconfig", "a token")

    def down(stack: str, **_: object) -> None:
        if stack == "cka-s02":
            raise StacklabError("it stays")

    stacks = {"cka-s01": None, "cka-s02": None}
    engine = SimpleNamespace(stacks=lambda: stacks, down=down, interrupt=lambda: None)
    monkeypatch.setattr(class_base, "engine", lambda: engine)
    monkeypatch.setattr(class_down, "_receipts", lambda stacks: [])
    with lock.hold("cka"):
        gone = class_down.take_down(made)
    assert {one: outcome.state for one, outcome in gone.found.items()} == {"s01": "done", "s02": "failed"}
    assert gone.clean is False
    assert folder.holders(made.file) == ["s02"]
