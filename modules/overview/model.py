"""What the page shows, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from modules.classroom.status import Row
from modules.dashboard.model import Figure, Tone


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
class Student:
    """One line of the page."""

    row: Row
    health: Health
    ways: tuple[Way, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """The class at one moment. held: who is changing it; error: why there is nothing newer to show."""

    name: str
    title: str
    at: datetime
    held: str = ""
    students: tuple[Student, ...] = ()
    error: str = ""
