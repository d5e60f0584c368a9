"""Keeps a page of a lab fresh while somebody looks: three threads read, each in its own rhythm; all of them put.

What a stack's outputs say changes rarely and is slow to ask; the API is asked often; apps are asked as a user would.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from modules.base.errors import StacklabError
from modules.dashboard import away, reach, read
from modules.dashboard.api import Api
from modules.dashboard.model import Away, Cluster, Reach, Snapshot
from modules.pages.live import Live
from modules.verify.kubectl import Kubectl
from modules.verify.lab import Exposure, Lab

CLUSTER_EVERY = 2.0
REACH_EVERY = 5.0
LAB_EVERY = 30.0
FORWARD_EVERY = 3
"""A port-forward starts a program: of so many rounds only one asks by it."""
AT_ONCE = 4
FAREWELL = 8.0
"""Seconds for a port-forward under way to end; what only reads may be left to itself."""

log = logging.getLogger("stacklab.dashboard")


@dataclass(frozen=True)
class Source:
    """Where a stack's lab is read from: outputs, machines as their backend knows them, the lab's kubectl."""

    stack: str
    backend: str
    lab: Callable[[], Lab]
    states: Callable[[], Mapping[str, str]]
    kubectl: Callable[[Path], Kubectl]


@dataclass
class Watcher:
    """What is known of a lab now. `refresh_*` read one thing each; `snapshot` joins what they found."""

    source: Source
    lab: Lab
    cluster: Cluster = field(default_factory=Cluster)
    away: Away | None = None
    gone: Away | None = None
    reaches: dict[Exposure, Reach] = field(default_factory=dict)
    _api: Api | None = None
    _looked: bool = False
    _round: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # -- reading ------------------------------------------------------------------------------------------------

    def refresh_lab(self) -> None:
        """The stack's outputs: after an edit of the stack file there are other machines, apps, exposures."""
        try:
            found = self.source.lab()
        except StacklabError as error:
            with self._lock:
                hint = error.hint or f"make up STACK={self.source.stack}"
                self.gone = Away("There is no lab to show", error.in_one_line(), hint)
            return
        with self._lock:
            self.lab, self.gone = found, None

    def refresh_cluster(self) -> None:
        """Ask the API; when nobody answers, ask the backend why."""
        lab = self.lab
        try:
            self._api = self._api or Api(lab.kubeconfig)
            cluster, gone = read.cluster(lab, self._api.look()), None
        except StacklabError as error:
            self.close()  # the next look starts with the kubeconfig that is there then
            states = self._states()
            cluster, gone = away.machines(lab, states), away.why(self.source.stack, error, states)
        with self._lock:
            self.cluster, self.away, self._looked = cluster, gone, True

    def refresh_reaches(self) -> None:
        """Ask every exposure once, some at a time; none while the API is away."""
        exposures = self.lab.exposures
        if self.away:
            self._reached({})
            return
        kubectl = self.source.kubectl(self.lab.kubeconfig)
        due = [one for one in exposures if self._is_due(one)]
        self._round += 1
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="reach") as pool:
            found = dict(zip(due, pool.map(lambda one: reach.look(one, kubectl), due), strict=True))
        self._reached({one: found.get(one) or self.reaches[one] for one in exposures})

    def _is_due(self, one: Exposure) -> bool:
        before = self.reaches.get(one)
        return one.kind != "clusterip" or not before or not before.ok or self._round % FORWARD_EVERY == 0

    def _reached(self, found: dict[Exposure, Reach]) -> None:
        with self._lock:
            self.reaches = found

    def _states(self) -> Mapping[str, str] | StacklabError:
        try:
            return self.source.states()
        except StacklabError as error:
            return error

    def close(self) -> None:
        """Give the connection back."""
        if self._api:
            self._api.__exit__()
        self._api = None

    def survive(self, job: Callable[[], None]) -> None:
        """Do it. A mistake of ours is shown on the page, and does not leave it standing still for ever."""
        try:
            job()
        except Exception as error:
            log.debug("%s", job, exc_info=True)
            step = f"stacklab --debug dashboard {self.source.stack} shows where; please report it"
            with self._lock:
                self.gone = Away("This page has a mistake", f"{type(error).__name__}: {error}", step)

    # -- what is known ------------------------------------------------------------------------------------------

    @property
    def knows(self) -> bool:
        """Whether there is anything to show: before the first look a lab would seem to be empty."""
        return self._looked or self.gone is not None

    def snapshot(self) -> Snapshot:
        """All of it, as it is now."""
        with self._lock:
            return Snapshot(
                stack=self.source.stack,
                backend=self.source.backend,
                at=datetime.now(UTC),
                cluster=self.cluster,
                reaches=self._shown(),
                away=self.gone or self.away,
            )

    def _shown(self) -> tuple[Reach, ...]:
        if self.away:
            return tuple(reach.unasked(one, "not asked while the lab is away") for one in self.lab.exposures)
        return tuple(self.reaches.get(one) or reach.unasked(one, "asking") for one in self.lab.exposures)


@contextmanager
def kept_fresh(watcher: Watcher, live: Live, render: Callable[[Snapshot], Mapping[str, str]]) -> Iterator[None]:
    """Read in the background while the block runs and somebody looks; at the end nothing of it runs any more."""

    turn = threading.Lock()  # what was known earlier is not put later

    def steadily(job: Callable[[], None], every: float) -> None:
        while live.watched():
            watcher.survive(job)
            with turn:
                if watcher.knows:
                    live.put(render(watcher.snapshot()))
            live.pause(every)

    jobs = (
        (watcher.refresh_cluster, CLUSTER_EVERY),
        (watcher.refresh_reaches, REACH_EVERY),
        (watcher.refresh_lab, LAB_EVERY),
    )
    threads = [threading.Thread(target=steadily, args=job, daemon=True, name=job[0].__name__) for job in jobs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        live.close()
        for thread in threads:
            thread.join(FAREWELL)
        watcher.close()


def once(source: Source) -> Snapshot:
    """One snapshot of everything."""
    watcher = Watcher(source, source.lab())
    watcher.refresh_cluster()
    watcher.refresh_reaches()
    watcher.close()
    return watcher.snapshot()
