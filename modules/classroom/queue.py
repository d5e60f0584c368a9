"""Whose turn is it? Labs wait in one line; each host makes so many at a time, and this machine so many together. Pure.

The same line is worked off by `class up` (work.py) and by the simulation (simulate.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

State = Literal["waiting", "running", "done", "failed", "skipped"]


@dataclass(frozen=True)
class Job:
    """One student's lab on its host."""

    id: str
    host: str


@dataclass
class Line:
    """Who waits, who runs, who has ended, and how. A failure is one lab's: the others go on."""

    jobs: Iterable[Job]
    per_host: Mapping[str, int]
    together: int = 10**9
    state: dict[str, State] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._host = {job.id: job.host for job in self.jobs}
        self._waiting: dict[str, list[str]] = {}
        for one, host in self._host.items():
            self._waiting.setdefault(host, []).append(one)
        for waiting in self._waiting.values():
            waiting.reverse()
        self._running: dict[str, int] = dict.fromkeys(self._waiting, 0)
        self._all = 0
        self.state.update(dict.fromkeys(self._host, "waiting"))

    def next(self) -> list[str]:
        """Start everybody whose turn it is; hosts take turns."""
        started: list[str] = []
        free = [host for host, waiting in self._waiting.items() if waiting]
        while free and self._all < self.together:
            free = [h for h in free if self._waiting[h] and self._running[h] < max(1, self.per_host.get(h, 1))]
            for host in free[: self.together - self._all]:
                one = self._waiting[host].pop()
                self._running[host] += 1
                self._all += 1
                self.state[one] = "running"
                started.append(one)
        return started

    def end(self, one: str, ok: bool) -> None:
        """This one has ended."""
        self.state[one] = "done" if ok else "failed"
        self._running[self._host[one]] -= 1
        self._all -= 1

    def stop(self) -> list[str]:
        """Nobody else is started; those who wait are skipped."""
        skipped = [one for waiting in self._waiting.values() for one in waiting]
        self._waiting = {}
        self.state.update(dict.fromkeys(skipped, "skipped"))
        return skipped

    def positions(self) -> Mapping[str, int]:
        """For each who waits: how many labs on its host start before."""
        return {one: place for waiting in self._waiting.values() for place, one in enumerate(reversed(waiting))}

    @property
    def over(self) -> bool:
        return self._all == 0 and not any(self._waiting.values())
