"""Keeps the page fresh while somebody looks: one thread asks how the class stands, one asks every student's API.

What a stack's outputs say is slow to ask and changes only when the stack does: it is asked once for each change.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modules.base.errors import StacklabError
from modules.classroom.status import Row
from modules.dashboard.api import Api
from modules.dashboard.read import Answers
from modules.overview import look
from modules.overview.model import Health, Snapshot, Student
from modules.pages.live import Live

ROWS_EVERY = 5.0
LABS_EVERY = 5.0
AT_ONCE = 8
FAREWELL = 8.0

log = logging.getLogger("stacklab.overview")


@dataclass(frozen=True)
class Source:
    """Where a class is read from. `shared` is the kubeconfig of the lab that all share; None with a lab each."""

    name: str
    title: str
    rows: Callable[[], tuple[str, Sequence[Row]]]
    outputs: Callable[[str], Mapping[str, Any]]
    kubeconfig: Callable[[str], Path]
    shared: Path | None = None


@dataclass
class Watcher:
    """What is known of a class now; `refresh_*` read one thing each, `snapshot` joins what they found."""

    source: Source
    held: str = ""
    rows: Sequence[Row] | None = None
    error: str = ""
    health: dict[str, Health] = field(default_factory=dict)
    _outputs: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh_rows(self) -> None:
        """How Pulumi and the last command know everybody's lab."""
        try:
            held, rows = self.source.rows()
        except StacklabError as error:
            with self._lock:
                self.error = error.in_one_line()
            return
        with self._lock:
            self.held, self.rows, self.error = held, rows, ""

    def refresh_labs(self) -> None:
        """Ask the API of everybody whose lab is up."""
        if self.rows is None:
            self.refresh_rows()
        due = [row for row in self.rows or () if row.state == "up"]
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="lab") as pool:
            for row, outputs in zip(due, pool.map(self._outputs_of, due), strict=True):
                self._outputs[row.stack] = (row.since, outputs)
            looks = self._shares(due, self.source.shared) if self.source.shared else pool.map(self._own, due)
            found = {row.stack: health for row, health in zip(due, looks, strict=True)}
        with self._lock:
            self.health = found

    def _own(self, row: Row) -> Health:
        try:
            answers = _ask(self.source.kubeconfig(row.stack))
        except StacklabError as error:
            return Health("bad", error.in_one_line())
        return look.of_lab(row.stack, self._outputs[row.stack][1], answers)

    def _shares(self, due: Sequence[Row], kubeconfig: Path) -> list[Health]:
        try:
            answers = _ask(kubeconfig)
        except StacklabError as error:
            return [Health("bad", error.in_one_line()) for _ in due]
        return [look.of_share(row.stack, answers) for row in due]

    def _outputs_of(self, row: Row) -> Mapping[str, Any]:
        since, known = self._outputs.get(row.stack, ("", {}))
        if known and since == row.since:
            return known
        try:
            return self.source.outputs(row.stack)
        except StacklabError as error:
            log.debug("outputs of %s: %s", row.stack, error)
            return {}

    def snapshot(self) -> Snapshot:
        """All of it, as it is now."""
        with self._lock:
            students = tuple(
                Student(
                    row,
                    self.health.get(row.stack, Health()),
                    look.ways(self._outputs.get(row.stack, ("", {}))[1]) if row.state == "up" else (),
                )
                for row in self.rows or ()
            )
            bare = Snapshot(self.source.name, self.source.title, datetime.now(UTC))
            return replace(bare, held=self.held, students=students, error=self.error)


@contextmanager
def kept_fresh(watcher: Watcher, live: Live, render: Callable[[Snapshot], Mapping[str, str]]) -> Iterator[None]:
    """Read in the background while the block runs and somebody looks."""
    turn = threading.Lock()  # what was known earlier is not put later

    def steadily(job: Callable[[], None], every: float) -> None:
        while live.watched():
            try:
                job()
            except Exception as error:  # a mistake of ours is shown, and does not leave the page standing still
                log.debug("%s", job, exc_info=True)
                watcher.error = f"this page has a mistake: {type(error).__name__}: {error}"
            with turn:
                if watcher.rows is not None or watcher.error:
                    live.put(render(watcher.snapshot()))
            live.pause(every)

    jobs = ((watcher.refresh_rows, ROWS_EVERY), (watcher.refresh_labs, LABS_EVERY))
    threads = [threading.Thread(target=steadily, args=job, daemon=True, name=job[0].__name__) for job in jobs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        live.close()
        for thread in threads:
            thread.join(FAREWELL)


def _ask(kubeconfig: Path) -> Answers:
    with Api(kubeconfig) as api:
        return api.look()
