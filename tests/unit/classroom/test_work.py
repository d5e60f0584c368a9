"""Making many labs with threads: failures stay alone, stopping is clean, and what is shown is true."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.base.errors import StacklabError
from modules.classroom import board, times, work
from modules.classroom.board import Board, Entry, headline, line, lines
from modules.classroom.queue import Job, Line
from modules.classroom.times import Run, all_left, left, usual


def test_one_failure_is_nobody_elses() -> None:
    ids = [f"s{n:02}" for n in range(12)]
    running: set[str] = set()
    most: list[int] = []

    def do(one: str) -> None:
        running.add(one)
        most.append(len(running))
        time.sleep(0.01)
        running.discard(one)
        if one == "s03":
            raise StacklabError("no room", output="first\nlast words")
        if one == "s05":
            raise KeyError("a mistake of ours")

    shown = Board({one: {} for one in ids})
    found = work.run(Line([Job(one, "a") for one in ids], {"a": 3}), do, shown, stopping=lambda: False)
    assert {one: outcome.state for one, outcome in found.items()} == {
        one: "failed" if one in ("s03", "s05") else "done" for one in ids
    }
    assert max(most) <= 3
    entries = {entry.id: entry for entry in shown.entries()}
    assert entries["s03"].said == "no room: last words"
    assert entries["s05"].said == "KeyError: 'a mistake of ours'"


def test_stopping_starts_nobody_else_and_waits_for_those_under_way() -> None:
    stop, go = threading.Event(), threading.Event()

    def do(one: str) -> None:
        stop.set()
        go.wait(10)
        if one == "s1":
            raise StacklabError("cancelled by us")

    def change() -> None:
        if stop.is_set() and "skipped" in {entry.state for entry in shown.entries()}:
            go.set()

    ids = ["s0", "s1", "s2", "s3"]
    shown = Board({one: {} for one in ids})
    asked = Line([Job(one, "a") for one in ids], {"a": 2})
    found = work.run(asked, do, shown, stopping=stop.is_set, on_change=change)
    assert [found[one].state for one in ids] == ["done", "failed", "skipped", "skipped"]
    assert {entry.id: entry.said for entry in shown.entries()}["s1"] == "interrupted"


USUAL = {"start": 3.0, "machines": 20.0, "inside": 30.0, "finish": 1.0}


def test_a_line_says_no_more_than_is_known() -> None:
    unknown = Entry("s01", "running", "machines", began=0.0, since=5.0)
    assert line(unknown, 65.0) == ["s01", "machines", "1:05", "", ""]
    known = Entry("s01", "running", "machines", began=0.0, since=5.0, expected=USUAL)
    assert line(known, 10.0) == ["s01", "machines", "0:10", "about 0:46", ""]
    assert line(known, 40.0) == ["s01", "machines", "0:40", "about 0:31", "usually 0:20"]
    assert line(Entry("s02", ahead=3), 1.0) == ["s02", "waits", "", "", "3 before it"]
    assert line(Entry("s03", "failed", began=2.0, ended=9.0, said="no room"), 99.0)[1:] == [
        "failed",
        "0:07",
        "",
        "no room",
    ]


def test_the_headline_counts_and_adds_up() -> None:
    entries = [
        Entry("a", "done"),
        Entry("b", "failed"),
        Entry("c", "running", "inside", 0.0, 10.0, expected=USUAL),
        Entry("d", expected=USUAL),
        Entry("e", expected=USUAL),
    ]
    # c has 31 - 10 left; with two at a time d begins at once, e after c.
    assert headline(entries, 20.0, 2) == "1 of 5 done, 1 failed, 1 under way, 2 wait, about 1:15 left"
    assert headline([Entry("a", "running")], 1.0, 2) == "0 of 1 done, 1 under way, time left not known yet"
    assert headline([Entry("a", "done")], 1.0, 2) == "1 of 1 done"


def test_a_large_class_is_cut_to_what_fits_on_a_screen() -> None:
    entries = [Entry(f"s{n:03}", ahead=n) for n in range(100)]
    entries[40] = Entry("s040", "running", "start")
    entries[70] = Entry("s070", "failed", said="no room", ended=1.0)
    assert [row[0] for row in lines(entries, 1.0, 4)] == ["s000", "s001", "s040", "s070"]


@given(st.lists(st.floats(0, 100), max_size=6), st.lists(st.floats(0, 100), max_size=20), st.integers(6, 8))
def test_the_time_of_all_is_that_of_the_line(running: list[float], waiting: list[float], slots: int) -> None:
    found = all_left(running, waiting, slots)
    assert found is not None
    work_left = sum(running) + sum(waiting)
    longest = max([*running, *waiting], default=0.0)
    assert max(work_left / slots, longest) - 1e-6 <= found <= work_left / slots + longest + 1e-6
    assert all_left([*running, None], waiting, slots) is None


def test_usual_is_the_middle_of_runs_with_as_many_at_a_time() -> None:
    runs = [Run({"start": 1, "machines": n}, 2) for n in (10, 12, 90)] + [Run({"start": 1, "machines": 40}, 4)]
    assert usual(runs, 2) == {"start": 1, "machines": 12}
    assert usual(runs, 4) == {"start": 1, "machines": 40}
    assert usual(runs, 8) == {"start": 1, "machines": 26}
    assert usual([], 2) == {}
    assert left({}, "start", 3) is None


def test_times_are_remembered_and_old_ones_forgotten(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))
    for n in range(times.KEPT + 5):
        times.add("up kind 1+0", Run({"start": float(n)}, 2))
    found = times.load("up kind 1+0")
    assert len(found) == times.KEPT
    assert found[-1] == Run({"start": 24.0}, 2)
    assert times.load("another") == []


def test_clock() -> None:
    assert [board.clock(n) for n in (0, 59.6, 3599, 3661)] == ["0:00", "1:00", "59:59", "1:01:01"]
