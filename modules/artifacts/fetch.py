"""Filling the store: each missing artifact from the first source that has it, several at a time.

What is in the store is not made again, so a fetch that was interrupted goes on. One that fails does not stop the
others: the next run has less to do. All failures are raised together.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from modules.artifacts.progress import InTurn, Observer, Silent
from modules.artifacts.source import Source
from modules.artifacts.store import Store, remove
from modules.artifacts.types import Artifact
from modules.base.errors import ArtifactError, StacklabError

JOBS = 2


@dataclass(frozen=True)
class Rules:
    """What a fetch must know beside artifacts and sources.

    weight:  recorded seconds; the longest begin first.
    lane:    of artifacts with the same non-empty word for a source, one is made at a time.
    instead: what to get in place of an artifact that no source has: an image's parts.
    """

    weight: Callable[[Artifact], float] = lambda artifact: 1.0
    lane: Callable[[str, Artifact], str] = lambda source, artifact: ""
    instead: Callable[[Artifact], tuple[Artifact, ...]] = lambda artifact: ()


@dataclass
class _Task:
    artifact: Artifact
    sources: list[Source]  # those not yet asked
    needs: tuple[Artifact, ...] = ()
    errors: list[StacklabError] = field(default_factory=list)

    @property
    def source(self) -> Source:
        return self.sources[0]


def fetch(
    artifacts: Iterable[Artifact],
    sources: Sequence[Source],
    store: Store,
    observer: Observer | None = None,
    jobs: int = JOBS,
    rules: Rules | None = None,
) -> None:
    """Get into the store what is not there. `sources`: those that can be used, in the order they are asked."""
    _Fetch(tuple(sources), store, InTurn(observer or Silent()), rules or Rules()).run(artifacts, jobs)


class _Fetch:
    """One run. Only the calling thread touches the lists; workers make one artifact and put it into the store."""

    def __init__(self, sources: Sequence[Source], store: Store, observer: Observer, rules: Rules) -> None:
        self._sources = sources
        self._store = store
        self._observer = observer
        self._rules = rules
        self._known: set[Artifact] = set()
        self._waiting: list[_Task] = []
        self._running: dict[Future[None], _Task] = {}
        self._failed: dict[Artifact, list[StacklabError]] = {}

    def run(self, artifacts: Iterable[Artifact], jobs: int) -> None:
        self._plan(artifacts)
        with ThreadPoolExecutor(max_workers=max(jobs, 1), thread_name_prefix="fetch") as pool:
            try:
                while self._waiting or self._running:
                    while len(self._running) < jobs and (task := self._next()):
                        self._running[pool.submit(self._get, task.artifact, task.source)] = task
                    if not self._running:
                        self._stuck()
                        break
                    for future in wait(self._running, return_when=FIRST_COMPLETED).done:
                        self._finish(self._running.pop(future), future)
            except BaseException:
                stop_children()
                raise
        if self._failed:
            raise _all(self._failed)

    def _plan(self, artifacts: Iterable[Artifact]) -> None:
        """Queue what is missing, what that needs, and what stands in for what no source has."""
        queue, planned = list(artifacts), []
        while queue:
            artifact = queue.pop(0)
            if artifact in self._known or self._store.has(artifact):
                continue
            self._known.add(artifact)
            having = [source for source in self._sources if source.offers(artifact)]
            if having:
                task = _Task(artifact, having, having[0].needs(artifact))
                self._waiting.append(task)
                planned.append(artifact)
                queue.extend(task.needs)
            elif instead := self._rules.instead(artifact):
                queue.extend(instead)
            else:
                self._give_up(artifact, [ArtifactError("no source that is in reach has it", where=artifact.id)])
        weights = self._lane_weights()
        self._waiting.sort(key=lambda task: weights[self._lane(task) or task.artifact.id], reverse=True)
        if planned:
            self._observer.planned(planned)

    def _lane(self, task: _Task) -> str:
        return self._rules.lane(task.source.name, task.artifact)

    def _lane_weights(self) -> dict[str, float]:
        weights: dict[str, float] = {}
        for task in self._waiting:
            key = self._lane(task) or task.artifact.id
            weights[key] = weights.get(key, 0.0) + self._rules.weight(task.artifact)
        return weights

    def _next(self) -> _Task | None:
        """The first that can begin: its lane is free and what it needs is there."""
        busy = {self._lane(task) for task in self._running.values()} - {""}
        for number, task in enumerate(self._waiting):
            if self._lane(task) not in busy and all(self._store.has(need) for need in task.needs):
                return self._waiting.pop(number)
        return None

    def _get(self, artifact: Artifact, source: Source) -> None:
        """In a worker thread."""
        begun = time.monotonic()
        self._observer.started(artifact, source.name)
        room = self._store.room()
        try:
            content = room / "content"
            origin = source.get(artifact, content, self._report(artifact))
            self._store.put(artifact, content, origin)
        finally:
            remove(room)
        self._observer.done(artifact, source.name, time.monotonic() - begun)

    def _report(self, artifact: Artifact) -> Callable[[str, int, int], None]:
        return lambda what, done, total: self._observer.progress(artifact, what, done, total)

    def _finish(self, task: _Task, future: Future[None]) -> None:
        """Another source for what failed; what stands in for it; or its place among the failures."""
        error = future.exception()
        if error is None:
            return
        if not isinstance(error, StacklabError):
            raise error
        task.errors.append(error)
        source = task.sources.pop(0)
        instead = () if task.sources else self._rules.instead(task.artifact)
        self._observer.failed(task.artifact, source.name, error, final=not task.sources)
        if task.sources:
            task.needs = task.source.needs(task.artifact)
            self._waiting.append(task)
            self._plan(task.needs)
        elif instead:
            self._plan(instead)
        else:
            self._failed[task.artifact] = task.errors

    def _give_up(self, artifact: Artifact, errors: list[StacklabError]) -> None:
        self._observer.failed(artifact, "", errors[-1], final=True)
        self._failed[artifact] = errors

    def _stuck(self) -> None:
        """What is left needs something that failed."""
        for task in self._waiting:
            lacking = ", ".join(need.id for need in task.needs if not self._store.has(need))
            self._give_up(task.artifact, [ArtifactError(f"{lacking} could not be had", where=task.artifact.id)])
        self._waiting.clear()


def _all(failed: dict[Artifact, list[StacklabError]]) -> ArtifactError:
    hint = "run `stacklab fetch` again: what was made stays made"
    if len(failed) == 1:
        [(artifact, errors)] = failed.items()
        last = errors[-1]
        output = "\n".join([*(str(error) for error in errors[:-1]), last.output])
        what = f"{artifact.id} cannot be had: {last.what}"
        return ArtifactError(what, where=last.where, command=last.command, output=output, hint=last.hint or hint)
    output = "\n".join(f"{artifact.id}: {errors[-1].what}" for artifact, errors in failed.items())
    return ArtifactError(f"{len(failed)} artifacts cannot be had", output=output, hint=hint)


def stop_children() -> None:
    """End the programs that workers run, each with its process group; theirs is a session of their own."""
    for listed in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            for child in listed.read_text().split():
                with suppress(OSError):
                    os.killpg(int(child), signal.SIGTERM)
