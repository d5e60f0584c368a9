"""What a fetch tells while it runs, and what a bar shows of it: done of total, what is under way, time left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from modules.artifacts.types import Artifact

TRUSTED = 30.0  # seconds of recorded weight that must be done before our own speed is believed


class Observer(Protocol):
    """Hears of a fetch, one event at a time, from whatever thread it happens in."""

    def planned(self, artifacts: Sequence[Artifact]) -> None:
        """These will be made or downloaded; called again when one of them is replaced by others."""

    def started(self, artifact: Artifact, source: str) -> None: ...

    def progress(self, artifact: Artifact, what: str, done: int, total: int) -> None:
        """What is under way for it; `done` of `total` in any unit, a total of 0 is unknown."""

    def done(self, artifact: Artifact, source: str, seconds: float) -> None: ...

    def failed(self, artifact: Artifact, source: str, error: Exception, final: bool) -> None:
        """final: no other source is left to ask."""


class Silent:
    """An observer that says nothing."""

    def planned(self, artifacts: Sequence[Artifact]) -> None: ...

    def started(self, artifact: Artifact, source: str) -> None: ...

    def progress(self, artifact: Artifact, what: str, done: int, total: int) -> None: ...

    def done(self, artifact: Artifact, source: str, seconds: float) -> None: ...

    def failed(self, artifact: Artifact, source: str, error: Exception, final: bool) -> None: ...


class InTurn:
    """Passes events on one after the other: an observer need not think of threads."""

    def __init__(self, to: Observer) -> None:
        self._to = to
        self._lock = threading.Lock()

    def planned(self, artifacts: Sequence[Artifact]) -> None:
        with self._lock:
            self._to.planned(artifacts)

    def started(self, artifact: Artifact, source: str) -> None:
        with self._lock:
            self._to.started(artifact, source)

    def progress(self, artifact: Artifact, what: str, done: int, total: int) -> None:
        with self._lock:
            self._to.progress(artifact, what, done, total)

    def done(self, artifact: Artifact, source: str, seconds: float) -> None:
        with self._lock:
            self._to.done(artifact, source, seconds)

    def failed(self, artifact: Artifact, source: str, error: Exception, final: bool) -> None:
        with self._lock:
            self._to.failed(artifact, source, error, final)


@dataclass(frozen=True)
class Snapshot:
    """done and total count artifacts; under_way: artifact id -> what is being done; left: seconds."""

    done: int
    total: int
    under_way: tuple[tuple[str, str], ...]
    left: float


class Tally(Silent):
    """Counts events into a Snapshot. `weight`: recorded seconds of an artifact, in the catalogue."""

    def __init__(self, weight: Callable[[Artifact], float], clock: Callable[[], float] = time.monotonic) -> None:
        self._weight = weight
        self._clock = clock
        self._begun = clock()
        self._pending: dict[Artifact, float] = {}
        self._under_way: dict[Artifact, tuple[float, str]] = {}
        self._finished = 0
        self._weight_done = 0.0

    def planned(self, artifacts: Sequence[Artifact]) -> None:
        for artifact in artifacts:
            self._pending[artifact] = self._weight(artifact)

    def started(self, artifact: Artifact, source: str) -> None:
        self._under_way[artifact] = self._clock(), source

    def progress(self, artifact: Artifact, what: str, done: int, total: int) -> None:
        begun, _ = self._under_way.get(artifact, (self._clock(), ""))
        self._under_way[artifact] = begun, f"{what} {100 * done // total} %" if total else what

    def done(self, artifact: Artifact, source: str, seconds: float) -> None:
        self._under_way.pop(artifact, None)
        self._weight_done += self._pending.pop(artifact, 0.0)
        self._finished += 1

    def failed(self, artifact: Artifact, source: str, error: Exception, final: bool) -> None:
        self._under_way.pop(artifact, None)
        if final:
            self._pending.pop(artifact, None)

    def snapshot(self) -> Snapshot:
        now = self._clock()
        speed = 1.0
        if self._weight_done > TRUSTED:
            speed = (now - self._begun) / self._weight_done
        passed = sum(
            # Never all of it: what takes longer than recorded is not over because its time is.
            min((now - begun) / max(len(self._under_way), 1) / speed, 0.9 * self._pending.get(artifact, 0.0))
            for artifact, (begun, _) in self._under_way.items()
        )
        return Snapshot(
            done=self._finished,
            total=self._finished + len(self._pending),
            under_way=tuple((artifact.id, what) for artifact, (_, what) in self._under_way.items()),
            left=max(sum(self._pending.values()) - passed, 0.0) * speed,
        )
