"""What the page's buttons do: as the commands do it, and one who cannot have it keeps nobody from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from modules.base.errors import StacklabError
from modules.classroom import lock
from modules.cli import class_base, class_verify
from modules.cli.class_hands import ClassHands
from modules.cli.class_verify import Checked
from tests.unit.cli.test_class_drift import FakeEngine


class Told:
    """What the page would show."""

    def __init__(self) -> None:
        self.phases: list[tuple[str, str]] = []
        self.ends: dict[str, tuple[bool, str]] = {}

    def phase(self, student: str, said: str) -> None:
        self.phases.append((student, said))

    def end(self, student: str, *, ok: bool, said: str = "") -> None:
        self.ends.setdefault(student, (ok, said))


@pytest.fixture
def school(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(class_base, "surroundings", lambda: None)
    write(checkout)
    return checkout


def write(school: Path, **changed: Any) -> None:
    data = {
        "roster": [{"id": "s01"}, {"id": "s02"}],
        "template": "small",
        "hosts": [{"name": "here", "memory": "64GiB", "cpus": 64, "disk": "1TiB"}],
        "limits": {"parallel": 2},
        **changed,
    }
    (school / "classes" / "pair.yaml").write_text(yaml.safe_dump(data))


def use(monkeypatch: pytest.MonkeyPatch, *there: str) -> FakeEngine:
    engine = FakeEngine(*there)
    monkeypatch.setattr(class_base, "engine", lambda: engine)
    return engine


def test_up_makes_labs_and_remembers_their_places(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, told = use(monkeypatch), Told()
    ClassHands("pair").do("up", ["s01", "s02"], told)
    assert sorted(engine.asked) == ["up pair-s01 new", "up pair-s02 new"]
    assert told.ends == {"s01": (True, ""), "s02": (True, "")}
    assert ("s01", "starting") in told.phases
    assert (school / "classes" / "pair.places.yaml").exists()
    assert lock.held("pair") == ""


def test_a_repair_takes_back_and_who_has_no_lab_is_told(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, told = use(monkeypatch, "pair-s01"), Told()
    ClassHands("pair").do("repair", ["s01", "s02"], told)
    assert engine.asked == ["repair pair-s01"]
    assert told.ends == {"s01": (True, ""), "s02": (False, "there is no lab to put right")}


def test_a_reset_removes_and_makes_and_tells_which(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, told = use(monkeypatch, "pair-s01", "pair-s02"), Told()
    ClassHands("pair").do("reset", ["s01"], told)
    assert engine.asked == ["down pair-s01", "up pair-s01 new"]
    assert told.ends == {"s01": (True, "")}
    assert [said.partition(",")[0] for _, said in dict.fromkeys(told.phases)] == ["removing", "making"]


def test_a_lab_that_will_not_go_is_not_made_anew(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, told = use(monkeypatch, "pair-s01"), Told()
    engine.failing = "pair-s01"
    ClassHands("pair").do("reset", ["s01"], told)
    assert engine.asked == ["down pair-s01"]
    assert told.ends == {"s01": (False, "it will not go")}


def test_nothing_is_taken_from_one_who_would_get_nothing_back(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(school, hosts=[{"name": "here", "memory": "64MiB", "cpus": 64, "disk": "1TiB"}], limits={"reserve": "1MiB"})
    engine, told = use(monkeypatch, "pair-s01"), Told()
    ClassHands("pair").do("reset", ["s01"], told)
    assert engine.asked == []
    assert told.ends == {"s01": (False, "there is no place for this lab; nothing was changed")}


@pytest.mark.parametrize("action", ["up", "repair", "reset"])
def test_a_class_that_is_over_or_held_by_a_command_is_left_alone(
    school: Path, monkeypatch: pytest.MonkeyPatch, action: Any
) -> None:
    engine = use(monkeypatch, "pair-s01")
    with lock.hold("pair"), pytest.raises(StacklabError, match="another command is changing this class"):
        ClassHands("pair").do(action, ["s01"], Told())
    write(school, expires="2020-01-01")
    with pytest.raises(StacklabError, match="over since 2020-01-01"):
        ClassHands("pair").do(action, ["s01"], Told())
    assert engine.asked == []


def test_verify_asks_each_lab_and_needs_no_lock(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(student: str, stack: str, timeout: float) -> Checked:
        return Checked(student, stack, (), "" if student == "s01" else "no lab of this name is up", 0.1)

    monkeypatch.setattr(class_verify, "check", check)
    told = Told()
    with lock.hold("pair"):
        ClassHands("pair").do("verify", ["s01", "s02"], told)
    assert told.ends == {"s01": (True, "0 checks"), "s02": (False, "no lab of this name is up")}


def test_an_interrupt_reaches_the_command_under_way(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, told, hands = use(monkeypatch), Told(), ClassHands("pair")
    asked: list[str] = []
    monkeypatch.setattr(engine, "interrupt", lambda: asked.append("interrupt"))
    hands.interrupt()
    assert asked == []

    def up(stack: str, **_: Any) -> None:
        hands.interrupt()
        raise StacklabError("cancelled")

    monkeypatch.setattr(engine, "up", up)
    hands.do("up", ["s01"], told)
    assert asked == ["interrupt"]
    assert told.ends == {"s01": (False, "interrupted")}
