"""What the page shows, as plain data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from modules.classroom.drift import Drift, Owner, What
from modules.classroom.status import Row
from modules.dashboard.model import Figure, Tone

KINDS: tuple[What, ...] = ("machine", "removed", "edited", "added")
TaskState = Literal["waiting", "running", "done", "failed"]


@dataclass(frozen=True)
class Health:
    """A lab, or a share of one, at its last look; no words: nobody has looked yet."""

    tone: Tone = "plain"
    words: str = ""
    cpu: Figure = field(default_factory=Figure)
    memory: Figure = field(default_factory=Figure)
    pods: int = 0


@dataclass(frozen=True)
class Way:
    """A way to an app: what a person uses, and what it is called."""

    name: str
    url: str


@dataclass(frozen=True)
class Seen:
    """What a student had changed at the last look; `since` is the update of the lab that it was compared with."""

    drift: Drift
    at: datetime
    since: str = ""

    def counts(self, owner: Owner) -> tuple[tuple[str, int], ...]:
        """How many of each, of what is the lab's or the student's."""
        found = Counter(finding.what for finding in self.drift.findings if finding.owner == owner)
        return tuple((what, found[what]) for what in KINDS if found[what])


@dataclass(frozen=True)
class Task:
    """What the teacher asked for a student on the page: it waits, runs, is done or failed."""

    student: str
    action: str
    state: TaskState
    at: datetime
    said: str = ""

    @property
    def over(self) -> bool:
        return self.state in ("done", "failed")


@dataclass(frozen=True)
class Student:
    """One line of the page."""

    row: Row
    health: Health
    ways: tuple[Way, ...] = ()
    seen: Seen | None = None
    task: Task | None = None


@dataclass(frozen=True)
class Snapshot:
    """The class at one moment. held: who is changing it; error: why there is nothing newer to show."""

    name: str
    title: str
    at: datetime
    held: str = ""
    students: tuple[Student, ...] = ()
    error: str = ""
