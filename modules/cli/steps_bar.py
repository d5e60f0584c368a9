"""A bar for work of many small steps on a terminal; nothing elsewhere, where the result is told at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from modules.artifacts.source import Report


@contextmanager
def steps_bar() -> Iterator[Report]:
    """A report that shows what is under way, how many steps are done, and the time left."""
    console = Console(stderr=True, highlight=False)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("")

        def report(what: str, done: int, total: int) -> None:
            progress.update(bar, description=escape(what), completed=done, total=total)

        yield report
