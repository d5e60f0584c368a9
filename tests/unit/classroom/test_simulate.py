"""10,000 students over 400 hosts: hosts die, labs fail, the command is killed; the promises hold."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.classroom.footprint import MIB, Need, total
from modules.classroom.placement import Room
from modules.classroom.queue import Job, Line
from modules.classroom.simulate import Day, Weather, run

GIB = 1024 * MIB
SMALL, LARGE = Need(713 * MIB, 200, 300 * MIB, 11), Need(1600 * MIB, 400, 900 * MIB, 33)
STUDENTS: Mapping[str, Need] = {f"s{n:05}": LARGE if n % 10 == 0 else SMALL for n in range(10_000)}
HOSTS = [Room(f"host-{n:03}", Need((24 + n % 3 * 8) * GIB, 16_000, 500 * GIB, 512)) for n in range(400)]
PARALLEL = 4


def on_hosts(day: Day) -> Mapping[str, list[Need]]:
    found: dict[str, list[Need]] = {room.name: [] for room in HOSTS}
    for one, host in day.placement.where.items():
        found[host].append(STUDENTS[one])
    return found


@pytest.fixture(scope="module")
def calm() -> Day:
    return run(STUDENTS, HOSTS, PARALLEL, Weather())


def test_on_a_calm_day_everybody_has_a_lab(calm: Day) -> None:
    assert calm.made == set(STUDENTS)
    assert not calm.failed
    for room in HOSTS:
        assert total(on_hosts(calm)[room.name]).fits(room.has)
    assert calm.busiest == PARALLEL
    # 25 labs a host, 4 at a time, a minute each: seven waves.
    assert calm.seconds < 9 * 60


def test_failures_are_their_own_and_the_same_command_mends_them(calm: Day) -> None:
    bad = run(STUDENTS, HOSTS, PARALLEL, Weather(fails=0.03), seed=7)
    assert 200 < len(bad.failed) < 400
    assert bad.made | bad.failed == set(STUDENTS)
    assert not bad.untouched
    again = run(STUDENTS, HOSTS, PARALLEL, Weather(), recorded=bad.placement.where, made=bad.made)
    assert again.made == set(STUDENTS)
    assert again.placement.where == bad.placement.where == calm.placement.where
    assert again.seconds < calm.seconds / 2


def test_dead_hosts_take_only_their_own_labs_with_them(calm: Day) -> None:
    dead = {f"host-{n:03}": 90.0 + n for n in range(0, 400, 20)}
    storm = run(STUDENTS, HOSTS, PARALLEL, Weather(hosts_die=dead))
    lost = {one for one, host in calm.placement.where.items() if host in dead}
    assert storm.made == set(STUDENTS) - lost
    left = [room for room in HOSTS if room.name not in dead]
    after = run(STUDENTS, left, PARALLEL, Weather(), recorded=storm.placement.where, made=storm.made)
    assert set(after.placement.moved) == lost
    assert {one: after.placement.where[one] for one in storm.made} == {
        one: storm.placement.where[one] for one in storm.made
    }
    assert after.made | set(after.placement.left) == set(STUDENTS)
    for name, needs in on_hosts(after).items():
        assert total(needs).fits(next(room.has for room in HOSTS if room.name == name))


def test_a_killed_command_is_gone_on_with() -> None:
    recorded: Mapping[str, str] = {}
    made: frozenset[str] = frozenset()
    for kill in (30.0, 100.0, 100.0, float("inf")):
        day = run(STUDENTS, HOSTS, PARALLEL, Weather(killed=kill, fails=0.01), recorded=recorded, made=made, seed=3)
        assert made <= day.made
        assert all(day.placement.where[one] == host for one, host in recorded.items())
        recorded, made = day.placement.where, day.made
    assert not day.untouched
    assert len(day.failed) < 200


def test_what_this_machine_bears_together_is_never_passed() -> None:
    day = run(STUDENTS, HOSTS, PARALLEL, Weather(), together=37)
    assert day.together == 37
    assert day.made == set(STUDENTS)


JOBS = st.lists(st.sampled_from("abc"), max_size=30).map(
    lambda hosts: [Job(f"s{n}", host) for n, host in enumerate(hosts)]
)


@settings(max_examples=200)
@given(JOBS, st.dictionaries(st.sampled_from("abc"), st.integers(1, 4)), st.integers(1, 6), st.data())
def test_the_line_keeps_its_limits_and_forgets_nobody(
    jobs: list[Job], per_host: dict[str, int], together: int, data: st.DataObject
) -> None:
    line = Line(jobs, per_host, together)
    host = {job.id: job.host for job in jobs}
    running: list[str] = []
    begun: list[str] = []
    while not line.over:
        started = line.next()
        running += started
        begun += started
        assert len(running) <= together
        for name in "abc":
            assert sum(host[one] == name for one in running) <= per_host.get(name, 1)
        waiting = line.positions()
        assert set(waiting) | set(begun) == set(host)
        ended = running.pop(data.draw(st.integers(0, len(running) - 1)))
        line.end(ended, data.draw(st.booleans()))
    assert sorted(begun) == sorted(host)
    assert set(line.state.values()) <= {"done", "failed"}


def test_after_a_stop_nobody_is_started() -> None:
    line = Line([Job(f"s{n}", "a") for n in range(5)], {"a": 2})
    assert line.next() == ["s0", "s1"]
    assert sorted(line.stop()) == ["s2", "s3", "s4"]
    line.end("s0", True)
    assert line.next() == []
    assert not line.over
    line.end("s1", False)
    assert line.over
    assert line.state == {"s0": "done", "s1": "failed", "s2": "skipped", "s3": "skipped", "s4": "skipped"}
