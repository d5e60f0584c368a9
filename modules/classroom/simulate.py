"""A class's day without a class: labs placed, made in waves, hosts that die, labs that fail, the command killed. Pure.

The same placement and the same line as in `class up`, with a clock of its own. What is asked of it are the promises:
one failure is nobody else's, who has a host keeps it, the same command again makes the class whole.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from modules.classroom.footprint import Need
from modules.classroom.placement import Placement, Room, place
from modules.classroom.queue import Job, Line


@dataclass(frozen=True)
class Weather:
    """What goes wrong, and how long things take."""

    seconds: float = 60.0  # a lab, on average
    spread: float = 0.3  # more or less, as a part of it
    fails: float = 0.0  # the chance of one lab
    hosts_die: Mapping[str, float] = field(default_factory=dict)  # host -> the second it is gone for good
    killed: float = float("inf")  # the second in which the command itself is killed


@dataclass(frozen=True)
class Day:
    """How one command ended."""

    seconds: float
    made: frozenset[str]
    failed: frozenset[str]
    untouched: frozenset[str]
    placement: Placement
    busiest: int  # labs made at a time on one host, at most
    together: int  # and in all


def run(
    needs: Mapping[str, Need],
    rooms: Sequence[Room],
    parallel: int,
    weather: Weather,
    *,
    recorded: Mapping[str, str] | None = None,
    made: frozenset[str] = frozenset(),
    together: int = 10**9,
    seed: int = 0,
) -> Day:
    """One `class up`. Labs in `made` stand already and are only looked at."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    placed = place(needs, rooms, recorded or {})
    line = Line([Job(one, host) for one, host in placed.where.items()], {r.name: parallel for r in rooms}, together)
    now = 0.0
    ends: list[tuple[float, str, bool]] = []
    running: dict[str, int] = {}
    done, failed = set(made), set[str]()
    busiest = most = 0
    while not line.over:
        for one in line.next():
            host = placed.where[one]
            running[host] = running.get(host, 0) + 1
            takes = 1.0 if one in made else weather.seconds * (1 + weather.spread * (2 * chance.random() - 1))
            gone = weather.hosts_die.get(host, float("inf"))
            fine = chance.random() >= weather.fails or one in made
            end = now + takes * (1 if fine else chance.random())
            heapq.heappush(ends, (min(end, max(gone, now + 1.0)), one, fine and end < gone))
        busiest, most = max(busiest, *running.values()), max(most, len(ends))
        if ends[0][0] > weather.killed:
            now = weather.killed
            break
        now, one, fine = heapq.heappop(ends)
        running[placed.where[one]] -= 1
        line.end(one, fine)
        (done if fine else failed).add(one)
        if not fine:
            done.discard(one)
    dead = {host for host, second in weather.hosts_die.items() if second <= now}
    done = {one for one in done if placed.where[one] not in dead}
    cut = frozenset(one for _, one, _ in ends) - failed
    return Day(
        now,
        frozenset(done),
        frozenset(failed | cut),
        frozenset(needs) - done - failed - cut,
        placed,
        busiest,
        most,
    )
