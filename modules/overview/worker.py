"""Does what the teacher asks for on the page, beside the server: for one student one thing at a time.

What changes labs is one lane: one command at a time changes a class, as everywhere. What only asks them is another.
Students who wait for the same are done together, by the same line as in `class up`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal, Protocol

from modules.base.errors import StacklabError
from modules.classroom.drift_words import clean
from modules.overview.model import Task

Action = Literal["verify", "repair", "reset", "up"]
ACTIONS: tuple[Action, ...] = ("verify", "repair", "reset", "up")
CHANGING: tuple[Action, ...] = ("repair", "reset", "up")

log = logging.getLogger("stacklab.overview")


class Report(Protocol):
    """How an action tells where it is, while it runs and when it is over for one student."""

    def phase(self, student: str, said: str) -> None: ...

    def end(self, student: str, *, ok: bool, said: str = "") -> None: ...


class Hands(Protocol):
    """Who does it."""

    def do(self, action: Action, students: Sequence[str], report: Report) -> None:
        """Until it is over for all of them; what is raised counts for those who have not ended."""

    def interrupt(self) -> None:
        """End what runs after its step; asked twice, at once."""


class BusyError(StacklabError):
    """Something is under way for this student."""


class Worker:
    """The lanes. Every change of a task calls `on_change`, and each begin and end is told to `audit`."""

    def __init__(
        self,
        hands: Hands,
        audit: Callable[[str], None],
        on_change: Callable[[], None] = lambda: None,
        on_end: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.on_change, self.on_end = on_change, on_end
        self.interrupted = 0
        self._hands, self._audit = hands, audit
        self._lock = threading.Condition()
        self._tasks: dict[str, Task] = {}
        self._waiting: dict[bool, list[tuple[str, Action]]] = {True: [], False: []}
        self._threads = [
            threading.Thread(target=self._lane, args=(changing,), name=name, daemon=True)
            for changing, name in ((True, "changes"), (False, "looks"))
        ]
        for thread in self._threads:
            thread.start()

    # -- those who ask ------------------------------------------------------------------------------------------

    def ask(self, student: str, action: Action) -> None:
        """Put it into its lane; BusyError when this student has something under way."""
        with self._lock:
            now = self._tasks.get(student)
            if self.interrupted or (now is not None and not now.over):
                doing = now.action if now and not now.over else "the page is ending"
                raise BusyError(f"{student} is busy: {doing}")
            self._tasks[student] = Task(student, action, "waiting", _now())
            self._waiting[action in CHANGING].append((student, action))
            self._lock.notify_all()
        self._audit(f"{student} {action}: asked for on the page")
        self.on_change()

    def tasks(self) -> Mapping[str, Task]:
        """The last of every student."""
        with self._lock:
            return dict(self._tasks)

    @property
    def busy(self) -> list[str]:
        """Who has something under way."""
        return [one for one, task in self.tasks().items() if not task.over]

    def interrupt(self) -> None:
        """Nothing else is begun; what runs ends after its step, asked again at once."""
        with self._lock:
            self.interrupted += 1
            dropped = [one for lane in self._waiting.values() for one, _ in lane]
            for lane in self._waiting.values():
                lane.clear()
            self._lock.notify_all()
        for one in dropped:
            self.end(one, ok=False, said="not begun")
        self._hands.interrupt()

    def join(self) -> None:
        """Until what runs has ended."""
        for thread in self._threads:
            while thread.is_alive():
                thread.join(0.2)  # Ctrl-C is heard between

    # -- those who do it ----------------------------------------------------------------------------------------

    def phase(self, student: str, said: str) -> None:
        """Report: where it is."""
        if self._change(student, said=said):
            self.on_change()

    def end(self, student: str, *, ok: bool, said: str = "") -> None:
        """Report: it is over for this student."""
        said = clean(said)
        if not self._change(student, state="done" if ok else "failed", said=said, at=_now()):
            return
        action = self.tasks()[student].action
        self._audit(f"{student} {action}: {'done' if ok else 'failed'}{f', {said}' if said else ''}")
        self.on_end(student)
        self.on_change()

    def _lane(self, changing: bool) -> None:
        while batch := self._next(changing):
            action, students = batch
            for one in students:
                self._change(one, state="running", said="", at=_now())
            self.on_change()
            why = "it ended without a word"
            try:
                self._hands.do(action, students, self)
            except StacklabError as error:
                why = error.in_one_line()
            except Exception as error:  # a mistake of ours is told, and the lane goes on
                log.debug("%s of %s", action, students, exc_info=True)
                why = f"{type(error).__name__}: {error}"
            for one in students:
                self.end(one, ok=False, said=why)

    def _next(self, changing: bool) -> tuple[Action, list[str]] | None:
        """Who is first in the lane, and everybody who waits for the same; None when it is over."""
        lane = self._waiting[changing]
        with self._lock:
            self._lock.wait_for(lambda: lane or self.interrupted)
            if not lane:
                return None
            action = lane[0][1]
            students = [one for one, wanted in lane if wanted == action]
            lane[:] = [(one, wanted) for one, wanted in lane if wanted != action]
            return action, students

    def _change(self, student: str, **to: object) -> bool:
        """Whether anything is new; what is over stays as it ended."""
        with self._lock:
            before = self._tasks[student]
            after = replace(before, **to)  # type: ignore[arg-type]
            if before.over or after == before:
                return False
            self._tasks[student] = after
            return True


def _now() -> datetime:
    return datetime.now(UTC)
