"""The page's worker: one thing at a time for a student, one lane for what changes labs, and a clean end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from modules.base.errors import StacklabError
from modules.base.probe import Answer, wait_for
from modules.overview.worker import ACTIONS, Action, BusyError, Report, Worker


class Hands:
    """Does a batch when it is let; what is taught happens instead of a good end."""

    def __init__(self) -> None:
        self.batches: list[tuple[Action, list[str]]] = []
        self.let = threading.Semaphore(0)
        self.taught: dict[str, Callable[[Report], None]] = {}
        self.interrupted = 0

    def do(self, action: Action, students: Sequence[str], report: Report) -> None:
        self.batches.append((action, list(students)))
        for one in students:
            report.phase(one, "machines")
        assert self.let.acquire(timeout=20)
        for one in students:
            self.taught.get(one, lambda report, one=one: report.end(one, ok=True))(report)

    def interrupt(self) -> None:
        self.interrupted += 1
        self.let.release(100)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def worker(hands: Hands, said: list[str]) -> Iterator[Worker]:
    made = Worker(hands, said.append)
    yield made
    made.interrupt()
    made.join()


def until(worker: Worker, **states: str) -> None:
    def look() -> Answer[bool]:
        now = {one: task.state for one, task in worker.tasks().items()}
        return Answer(True if now.items() >= states.items() else None, str(now))

    wait_for(f"tasks are {states}", look, timeout=20, every=0.01)


def test_one_thing_at_a_time_for_a_student(worker: Worker, hands: Hands) -> None:
    worker.ask("s01", "repair")
    until(worker, s01="running")
    for action in ACTIONS:
        with pytest.raises(BusyError, match="s01 is busy: repair"):
            worker.ask("s01", action)
    hands.let.release()
    until(worker, s01="done")
    worker.ask("s01", "verify")
    until(worker, s01="running")
    assert [action for action, _ in hands.batches] == ["repair", "verify"]


def test_what_changes_labs_is_one_lane_and_those_who_wait_for_the_same_go_together(
    worker: Worker, hands: Hands
) -> None:
    worker.ask("s01", "up")
    until(worker, s01="running")
    for one, action in (("s02", "repair"), ("s03", "up"), ("s04", "repair")):
        worker.ask(one, action)  # type: ignore[arg-type]
    worker.ask("s05", "verify")
    until(worker, s05="running")
    assert hands.batches == [("up", ["s01"]), ("verify", ["s05"])]
    assert {worker.tasks()[one].state for one in ("s02", "s03", "s04")} == {"waiting"}
    hands.let.release(4)
    until(worker, s01="done", s02="done", s03="done", s04="done", s05="done")
    changed = [batch for batch in hands.batches if batch[0] != "verify"]
    assert changed == [("up", ["s01"]), ("repair", ["s02", "s04"]), ("up", ["s03"])]


def test_the_end_of_one_is_told_at_once_and_is_the_end(worker: Worker, hands: Hands, said: list[str]) -> None:
    ended = threading.Event()

    def first(report: Report) -> None:
        report.end("s01", ok=False, said="no room \x1b[31m")
        report.end("s01", ok=True)
        report.phase("s01", "machines")
        ended.set()
        assert hands.let.acquire(timeout=20)

    worker.ask("s09", "up")
    until(worker, s09="running")
    hands.taught["s01"] = first
    worker.ask("s01", "repair")
    worker.ask("s02", "repair")
    hands.let.release(2)
    assert ended.wait(20)
    until(worker, s01="failed", s02="running")
    assert worker.tasks()["s01"].said == "no room \\x1b[31m"
    hands.let.release()
    until(worker, s02="done")
    assert said.count("s01 repair: failed, no room \\x1b[31m") == 1
    assert said.count("s01 repair: asked for on the page") == 1
    assert "s02 repair: done" in said


@pytest.mark.parametrize(
    ("error", "words"),
    [(StacklabError("no lab", output="a\nlast words"), "no lab: last words"), (KeyError("x"), "KeyError: 'x'")],
)
def test_what_is_raised_ends_those_who_had_not_ended_and_the_lane_goes_on(
    worker: Worker, hands: Hands, error: Exception, words: str
) -> None:
    def bad(report: Report) -> None:
        raise error

    hands.taught["s01"] = bad
    hands.let.release()
    worker.ask("s01", "up")
    until(worker, s01="failed")
    assert worker.tasks()["s01"].said == words
    hands.let.release()
    worker.ask("s02", "up")
    until(worker, s02="done")


def test_an_interrupt_drops_who_waits_and_ends_who_runs(hands: Hands, said: list[str]) -> None:
    changed: list[str] = []
    worker = Worker(hands, said.append)
    worker.on_end = changed.append
    worker.ask("s01", "up")
    until(worker, s01="running")
    worker.ask("s02", "repair")
    assert sorted(worker.busy) == ["s01", "s02"]
    worker.interrupt()
    worker.join()
    assert hands.interrupted == 1
    assert {one: (task.state, task.said) for one, task in worker.tasks().items()} == {
        "s01": ("done", ""),
        "s02": ("failed", "not begun"),
    }
    assert changed == ["s02", "s01"]
    with pytest.raises(BusyError, match="ending"):
        worker.ask("s03", "up")
