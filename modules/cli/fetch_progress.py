"""How a fetch is shown: a bar on a terminal, plain lines elsewhere, JSON events where a program reads."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from modules.artifacts.progress import Observer, Snapshot, Tally
from modules.artifacts.types import Artifact
from modules.base.errors import StacklabError

Weight = Callable[[Artifact], float]
OFTEN = 1.0  # seconds between two progress events of one artifact


class Show(Observer, Protocol):
    """An observer that can also say a line of its own, and that ends."""

    def say(self, line: str) -> None: ...


@contextmanager
def shown(weight: Weight, *, as_json: bool) -> Iterator[Show]:
    """The fitting way for where the output goes, while the block runs."""
    if as_json:
        yield Events(sys.stdout)
        return
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield Lines(weight, sys.stderr)
        return
    bar = Bar(weight, console)
    with Live(get_renderable=bar.render, console=console, refresh_per_second=4, transient=True):
        yield bar


def time_text(seconds: float) -> str:
    """Time left as a person says it: no more exact than it is known."""
    if seconds < 60:
        return "less than a minute"
    return f"about {round(seconds / 60)} min"


class Lines(Tally):
    """One line when something begins, is done or fails: for logs."""

    def __init__(self, weight: Weight, out: TextIO) -> None:
        super().__init__(weight)
        self._out = out

    def say(self, line: str) -> None:
        print(line, file=self._out, flush=True)

    def started(self, artifact: Artifact, source: str) -> None:
        super().started(artifact, source)
        self.say(f"{self._count()} {artifact.id}: from {source}")

    def done(self, artifact: Artifact, source: str, seconds: float) -> None:
        super().done(artifact, source, seconds)
        self.say(f"{self._count()} {artifact.id}: done in {seconds:.0f} s, {time_text(self.snapshot().left)} left")

    def failed(self, artifact: Artifact, source: str, error: Exception, final: bool) -> None:
        super().failed(artifact, source, error, final)
        self.say(f"{self._count()} {artifact.id}: {_failure(source, error, final)}")

    def _count(self) -> str:
        now = self.snapshot()
        return f"[{now.done}/{now.total}]"


class Bar(Tally):
    """A bar with what is under way below it; lines that stay are printed above it. The screen reads from a thread."""

    def __init__(self, weight: Weight, console: Console) -> None:
        super().__init__(weight)
        self._console = console
        self._mutex = threading.RLock()

    def say(self, line: str) -> None:
        self._console.print(escape(line))

    def planned(self, artifacts: Sequence[Artifact]) -> None:
        with self._mutex:
            super().planned(artifacts)

    def started(self, artifact: Artifact, source: str) -> None:
        with self._mutex:
            super().started(artifact, source)

    def progress(self, artifact: Artifact, what: str, done: int, total: int) -> None:
        with self._mutex:
            super().progress(artifact, what, done, total)

    def done(self, artifact: Artifact, source: str, seconds: float) -> None:
        with self._mutex:
            super().done(artifact, source, seconds)

    def failed(self, artifact: Artifact, source: str, error: Exception, final: bool) -> None:
        with self._mutex:
            super().failed(artifact, source, error, final)
        self._console.print(f"[red]{escape(artifact.id)}[/]: {escape(_failure(source, error, final))}")

    def render(self) -> RenderableType:
        with self._mutex:
            now = self.snapshot()
        return _drawn(now) if now.total else Text("")


class Events:
    """One JSON object a line. Progress of one artifact at most once a second, unless something else is under way."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._told: dict[Artifact, tuple[str, float]] = {}

    def say(self, line: str) -> None:
        self._write("note", text=line)

    def planned(self, artifacts: Sequence[Artifact]) -> None:
        self._write("planned", artifacts=[artifact.id for artifact in artifacts])

    def started(self, artifact: Artifact, source: str) -> None:
        self._write("started", artifact=artifact.id, source=source)

    def progress(self, artifact: Artifact, what: str, done: int, total: int) -> None:
        before, at = self._told.get(artifact, ("", 0.0))
        now = self._clock()
        if what != before or now - at >= OFTEN:
            self._told[artifact] = what, now
            self._write("progress", artifact=artifact.id, what=what, done=done, total=total)

    def done(self, artifact: Artifact, source: str, seconds: float) -> None:
        self._write("done", artifact=artifact.id, source=source, seconds=round(seconds, 1))

    def failed(self, artifact: Artifact, source: str, error: Exception, final: bool) -> None:
        self._write("failed", artifact=artifact.id, source=source, error=str(error), final=final)

    def _write(self, event: str, **fields: Any) -> None:
        print(json.dumps({"event": event, **fields}), file=self._out, flush=True)


def _failure(source: str, error: Exception, final: bool) -> str:
    what = error.what if isinstance(error, StacklabError) else str(error)
    asked = f"{source} has it not: {what}" if source else what
    return asked if final else f"{asked}; asking the next source"


def _drawn(now: Snapshot) -> RenderableType:
    head = Table.grid(padding=(0, 1))
    head.add_row(
        ProgressBar(total=now.total, completed=now.done, width=40),
        f"{now.done}/{now.total}",
        f"{time_text(now.left)} left",
    )
    below = Table.grid(padding=(0, 2))
    below.add_column(no_wrap=True)
    below.add_column(no_wrap=True, overflow="ellipsis", style="dim")
    for name, what in now.under_way:
        below.add_row(Text("  " + name), Text(what))
    return Group(head, below)
