"""Who is where while a class is being made: a line for each student, with an honest time. Many threads keep it.

What is shown is made by pure functions from a copy of it (`lines`, `headline`).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from modules.classroom import times
from modules.classroom.phases import WORDS, Progress
from modules.classroom.queue import State
from modules.classroom.times import Phases

HEAD = ("student", "state", "for", "left", "")


@dataclass(frozen=True)
class Entry:
    """One student: state, phase, when both began, what such a lab usually takes, what is to be said in the end."""

    id: str
    state: State = "waiting"
    phase: str = ""
    began: float = 0.0
    since: float = 0.0
    ended: float = 0.0
    expected: Phases = field(default_factory=dict)
    said: str = ""
    ahead: int = 0

    def left(self, now: float) -> float | None:
        if self.state == "waiting":
            return sum(self.expected.values()) if self.expected else None
        return times.left(self.expected, self.phase, now - self.since) if self.state == "running" else 0.0

    def late(self, now: float) -> bool:
        """Whether the phase takes longer than it usually does."""
        return self.state == "running" and now - self.since > self.expected.get(self.phase, float("inf"))


class Board:
    """The entries of all students; every change tells the watcher."""

    def __init__(self, expected: Mapping[str, Phases]) -> None:
        self._lock = threading.Lock()
        self._entries = {one: Entry(one, expected=phases) for one, phases in expected.items()}

    def change(self, one: str, **to: object) -> Entry:
        with self._lock:
            self._entries[one] = replace(self._entries[one], **to)  # type: ignore[arg-type]
            return self._entries[one]

    def follow(self, one: str, progress: Progress) -> Callable[[], None]:
        """What is to be called when this one's update has entered another phase."""

        def tell() -> None:
            self.change(one, phase=progress.phase, since=progress.since)

        return tell

    def entries(self) -> list[Entry]:
        with self._lock:
            return list(self._entries.values())


def line(entry: Entry, now: float) -> list[str]:
    """A student's row."""
    if entry.state == "waiting":
        return [entry.id, "waits", "", "", f"{entry.ahead} before it" if entry.ahead else "next"]
    if entry.state == "running":
        left = entry.left(now)
        usual = entry.expected.get(entry.phase)
        note = f"usually {clock(usual)}" if usual is not None and entry.late(now) else ""
        known = "" if left is None else f"about {clock(left)}"
        return [entry.id, WORDS.get(entry.phase, entry.phase), clock(now - entry.began), known, note]
    took = clock(entry.ended - entry.began) if entry.began else ""
    return [entry.id, {"done": "ok", "failed": "failed", "skipped": "skipped"}[entry.state], took, "", entry.said]


def lines(entries: Sequence[Entry], now: float, most: int) -> list[list[str]]:
    """The rows that fit on a screen: who runs, who failed, the last that ended, the next that wait; then the rest."""
    order = {"running": 0, "failed": 1, "done": 2, "skipped": 3, "waiting": 4}
    chosen = entries
    if len(entries) > most:
        ranked = sorted(entries, key=lambda e: (order[e.state], -e.ended if e.ended else e.ahead))
        keep = {entry.id for entry in ranked[:most]}
        chosen = [entry for entry in entries if entry.id in keep]
    return [line(entry, now) for entry in chosen]


def headline(entries: Sequence[Entry], now: float, slots: int) -> str:
    """12 of 30 done, 1 failed, 2 under way, 15 wait; about 4:10 left"""
    count = Counter(entry.state for entry in entries)
    words = [f"{count['done']} of {len(entries)} done"]
    shown: tuple[tuple[State, str], ...] = (("failed", "failed"), ("running", "under way"), ("waiting", "wait"))
    words += [f"{count[state]} {name}" for state, name in shown if count[state]]
    running = [entry.left(now) for entry in entries if entry.state == "running"]
    waiting = [entry.left(now) for entry in entries if entry.state == "waiting"]
    left = times.all_left(running, waiting, slots)
    if running or waiting:
        words.append("time left not known yet" if left is None else f"about {clock(left)} left")
    return ", ".join(words)


def clock(seconds: float) -> str:
    """1:07, 1:02:03"""
    whole = round(max(seconds, 0))
    hours, minutes = whole // 3600, whole % 3600 // 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
