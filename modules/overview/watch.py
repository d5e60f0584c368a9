"""Keeps the page fresh while somebody looks: one thread asks how the class stands, one asks every student's API.

What a stack's outputs say is slow to ask and changes only when the stack does: it is asked once for each change. What
students changed costs seconds to find out: a third thread looks at one student, rests, and goes on with the next.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modules.base.errors import StacklabError
from modules.classroom.drift import Drift
from modules.classroom.status import Row
from modules.dashboard.api import Api
from modules.dashboard.read import Answers
from modules.overview import look
from modules.overview.model import Health, Seen, Snapshot, Student, Task
from modules.pages.live import Live

ROWS_EVERY = 5.0
LABS_EVERY = 5.0
DRIFT_EVERY = 10.0
DRIFT_AGAIN = 300.0
"""Seconds between two looks at what somebody changed, and between two at the same student."""
AT_ONCE = 8
FAREWELL = 8.0

log = logging.getLogger("stacklab.overview")


@dataclass(frozen=True)
class Source:
    """Where a class is read from. `shared` is the kubeconfig of the lab that all share; None with a lab each.

    drift: looks at what one student changed; None leaves the column empty.
    """

    name: str
    title: str
    rows: Callable[[], tuple[str, Sequence[Row]]]
    outputs: Callable[[str], Mapping[str, Any]]
    kubeconfig: Callable[[str], Path]
    shared: Path | None = None
    drift: Callable[[str], Drift] | None = None


@dataclass
class Watcher:
    """What is known of a class now; `refresh_*` read one thing each, `snapshot` joins what they found."""

    source: Source
    held: str = ""
    rows: Sequence[Row] | None = None
    error: str = ""
    health: dict[str, Health] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    tasks: Callable[[], Mapping[str, Task]] = dict
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

    def refresh_drift(self) -> None:
        """Look at what one student changed: the one whose turn it is."""
        rows, look = self.rows, self.source.drift
        if rows is None or look is None:
            return
        under_way = [one for one, task in self.tasks().items() if not task.over]
        row = due(rows, self.seen, datetime.now(UTC), under_way)
        if row is None:
            return
        found = Seen(look(row.id), datetime.now(UTC), row.since)
        busy = self.tasks().get(row.id)
        if busy is None or busy.over:  # what was found while the lab was being changed says nothing
            with self._lock:
                self.seen[row.id] = found

    def forget(self, student: str) -> None:
        """This lab was changed: it is looked at anew, soon."""
        with self._lock:
            self.seen.pop(student, None)

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
            tasks = self.tasks()
            students = tuple(
                Student(
                    row,
                    self.health.get(row.stack, Health()),
                    look.ways(self._outputs.get(row.stack, ("", {}))[1]) if row.state == "up" else (),
                    self.seen.get(row.id) if row.state == "up" else None,
                    tasks.get(row.id),
                )
                for row in self.rows or ()
            )
            bare = Snapshot(self.source.name, self.source.title, datetime.now(UTC))
            return replace(bare, held=self.held, students=students, error=self.error)


def due(rows: Sequence[Row], seen: Mapping[str, Seen], now: datetime, busy: Collection[str] = ()) -> Row | None:
    """Whose turn it is: one not looked at since the lab was updated, else the one seen longest ago. Pure."""
    up = [row for row in rows if row.state == "up" and row.id not in busy]
    fresh = {row.id: one for row in up if (one := seen.get(row.id)) and one.since == row.since}
    for row in up:
        if row.id not in fresh:
            return row
    oldest = min(up, key=lambda row: fresh[row.id].at, default=None)
    if oldest is None or (now - fresh[oldest.id].at).total_seconds() < DRIFT_AGAIN:
        return None
    return oldest


@contextmanager
def kept_fresh(
    watcher: Watcher, live: Live, render: Callable[[Snapshot], Mapping[str, str]]
) -> Iterator[Callable[[], None]]:
    """Read in the background while the block runs and somebody looks; what it is given shows what is known now."""
    turn = threading.Lock()  # what was known earlier is not put later

    def show() -> None:
        with turn:
            if watcher.rows is not None or watcher.error:
                live.put(render(watcher.snapshot()))

    def steadily(job: Callable[[], None], every: float) -> None:
        while live.watched():
            try:
                job()
            except Exception as error:  # a mistake of ours is shown, and does not leave the page standing still
                log.debug("%s", job, exc_info=True)
                watcher.error = f"this page has a mistake: {type(error).__name__}: {error}"
            show()
            live.pause(every)

    jobs = (
        (watcher.refresh_rows, ROWS_EVERY),
        (watcher.refresh_labs, LABS_EVERY),
        (watcher.refresh_drift, DRIFT_EVERY),
    )
    threads = [threading.Thread(target=steadily, args=job, daemon=True, name=job[0].__name__) for job in jobs]
    for thread in threads:
        thread.start()
    try:
        yield show
    finally:
        live.close()
        for thread in threads:
            thread.join(FAREWELL)


def _ask(kubeconfig: Path) -> Answers:
    with Api(kubeconfig) as api:
        return api.look()
