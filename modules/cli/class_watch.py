"""How `class up` and `class down` show what is under way: a live table on a terminal, else a line for each change."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from modules.cli import output

if TYPE_CHECKING:
    from modules.classroom.board import Board
    from modules.classroom.make import Session, Watch
    from modules.classroom.work import Outcome
    from modules.overview.worker import Worker

INTERRUPTED = 130
FAILED = 1


@contextmanager
def watching() -> Iterator[Watch]:
    """Shows a board while the block runs; on standard error, which no program reads."""
    console = Console(stderr=True, highlight=False)
    with Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else _nothing() as live:
        yield lambda board, slots: _Live(board, slots, live) if isinstance(live, Live) else _Plain(board)


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


class _Live:
    def __init__(self, board: Board, slots: int, live: Live) -> None:
        self._board, self._slots, self._live = board, slots, live

    def __call__(self) -> None:
        from modules.classroom import board

        now, entries = time.monotonic(), self._board.entries()
        table = Table(box=None, header_style="bold", caption=board.headline(entries, now, self._slots))
        for name in board.HEAD:
            table.add_column(name, overflow="ellipsis", no_wrap=True)
        for row in board.lines(entries, now, max(5, self._live.console.height - 4)):
            table.add_row(*row)
        self._live.update(table, refresh=True)


class _Plain:
    """A line when a student's state or phase changes."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._last: dict[str, tuple[str, str]] = {}

    def __call__(self) -> None:
        from modules.classroom import board

        now = time.monotonic()
        for entry in self._board.entries():
            state = (entry.state, entry.phase)
            if entry.state not in ("waiting", "skipped") and self._last.get(entry.id) != state:
                self._last[entry.id] = state
                name, what, spent, left, note = board.line(entry, now)
                words = [f"after {spent}" if spent else "", f"{left} left" if left else "", note]
                output.note(f"{name}  {what:<16}  {', '.join(word for word in words if word)}")


@contextmanager
def stoppable(session: Session | Worker) -> Iterator[None]:
    """Ctrl-C and SIGTERM end what runs after its step, and start nobody else."""

    def stop(*_: object) -> None:
        session.interrupt()
        if session.interrupted == 1:
            output.note("stopping: labs under way end after their step; again to end them at once")

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def show(verb: str, name: str, found: Mapping[str, Outcome], seconds: float, *, json: bool, more: Any = None) -> None:
    """How it ended for everybody, and in all."""
    from modules.classroom.board import clock

    failed = [one for one in found.values() if one.state == "failed"]
    done = sum(one.state == "done" for one in found.values())
    if json:
        everybody = [asdict(one) for one in sorted(found.values(), key=lambda one: one.id)]
        output.as_json(
            {"class": name, "verb": verb, "seconds": round(seconds, 1), "students": everybody, **(more or {})}
        )
        return
    for one in sorted(failed, key=lambda one: one.id):
        print(f"\n{one.id} failed:\n{one.error}")
    print(
        f"\n{name}: {done} of {len(found)} {verb} in {clock(seconds)}" + (f", {len(failed)} failed" if failed else "")
    )


def leave(session: Session, found: Mapping[str, Outcome], *, bad: bool = False) -> None:
    """End with the exit status that says how it went."""
    if session.interrupted:
        raise typer.Exit(INTERRUPTED)
    if bad or any(one.state != "done" for one in found.values()):
        raise typer.Exit(FAILED)
