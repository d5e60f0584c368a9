"""Works off the line of labs by threads: each lab by itself, so one's failure is nobody else's.

Stopping: nobody else is started, what runs is asked to end, and everybody's state is known in the end.
"""

from __future__ import annotations

import queue as channels
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from modules.base.errors import StacklabError
from modules.classroom.board import Board
from modules.classroom.outcomes import INTERRUPTED
from modules.classroom.queue import Line

TICK = 0.5


@dataclass(frozen=True)
class Outcome:
    """How it ended for one student: done, failed (with the reason) or skipped."""

    id: str
    state: str
    seconds: float = 0.0
    error: str = ""
    phase: str = ""


def run(
    line: Line,
    do: Callable[[str], None],
    board: Board,
    *,
    stopping: Callable[[], bool],
    on_change: Callable[[], None] = lambda: None,
) -> Mapping[str, Outcome]:
    """Everybody's outcome. `do` makes one student's lab, or raises; `on_change` is called by this thread, often."""
    done: channels.SimpleQueue[tuple[str, BaseException | None]] = channels.SimpleQueue()
    found: dict[str, Outcome] = {}

    def work(one: str) -> None:
        try:
            do(one)
        except BaseException as error:  # noqa: BLE001 - told to the thread that waits
            done.put((one, error))
        else:
            done.put((one, None))

    while not line.over:
        if stopping():
            for one in line.stop():
                board.change(one, state="skipped")
                found[one] = Outcome(one, "skipped")
            if line.over:
                break
        for one in line.next():
            now = time.monotonic()
            board.change(one, state="running", phase="start", began=now, since=now)
            threading.Thread(target=work, args=(one,), daemon=True, name=one).start()
        for one, ahead in line.positions().items():
            board.change(one, ahead=ahead)
        on_change()
        try:
            one, error = done.get(timeout=TICK)
        except channels.Empty:
            continue
        found[one] = _ended(board, one, error, stopped=stopping())
        line.end(one, error is None)
    on_change()
    return found


def _ended(board: Board, one: str, error: BaseException | None, *, stopped: bool) -> Outcome:
    now = time.monotonic()
    said = "" if error is None else INTERRUPTED if stopped else _in_one_line(error)
    entry = board.change(one, state="failed" if error else "done", ended=now, said=said)
    return Outcome(one, "failed" if error else "done", now - entry.began, str(error or ""), entry.phase)


def _in_one_line(error: BaseException) -> str:
    """A mistake of ours is told with its kind; it is no reason to leave the other students alone either."""
    return error.in_one_line() if isinstance(error, StacklabError) else f"{type(error).__name__}: {error}"
