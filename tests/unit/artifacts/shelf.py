"""A store in a folder and a source of small made-up artifacts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from modules.artifacts.source import Origin, Report
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact, Kind
from modules.base.errors import ArtifactError

TOOL = Artifact("tool", "1.2.3", Kind.BINARY)
TEXT = Artifact("text", "1", Kind.MANIFEST)
TREE = Artifact("tree", "1", Kind.TREE)
IMAGE = Artifact("docker.io/library/app", "v1", Kind.IMAGE)
ORIGIN = Origin("packages", "somewhere", "")


def tools(*names: str) -> list[Artifact]:
    return [Artifact(name, "1", Kind.BINARY) for name in names]


@dataclass
class FakeSource:
    """Offers `has`; what is in `broken` fails. `during` runs while an artifact is being made."""

    name: str = "packages"
    has: Sequence[Artifact] = ()
    broken: Sequence[Artifact] = ()
    needing: dict[Artifact, tuple[Artifact, ...]] = field(default_factory=dict)
    during: Callable[[Artifact], None] = lambda artifact: None
    made: list[Artifact] = field(default_factory=list)
    at_once: int = 0
    most: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reach(self) -> str:
        return ""

    def offers(self, artifact: Artifact) -> bool:
        return artifact in self.has

    def needs(self, artifact: Artifact) -> tuple[Artifact, ...]:
        return self.needing.get(artifact, ())

    def get(self, artifact: Artifact, into: Path, report: Report) -> Origin:
        with self._lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        try:
            self.during(artifact)
            report("making", 1, 2)
            if artifact in self.broken:
                raise ArtifactError(f"{self.name} cannot make {artifact.name}")
            if artifact.kind is Kind.TREE:
                into.mkdir()
            else:
                into.write_text(f"{artifact.id} of {self.name}")
            self.made.append(artifact)
            return Origin(self.name, "somewhere", "")
        finally:
            with self._lock:
                self.at_once -= 1


@dataclass
class Heard:
    """An observer that writes down what it hears."""

    events: list[tuple[str, str]] = field(default_factory=list)

    def planned(self, artifacts: Sequence[Artifact]) -> None:
        self.events.extend(("planned", artifact.name) for artifact in artifacts)

    def started(self, artifact: Artifact, source: str) -> None:
        self.events.append(("started", artifact.name))

    def progress(self, artifact: Artifact, what: str, done: int, total: int) -> None:
        self.events.append((what, artifact.name))

    def done(self, artifact: Artifact, source: str, seconds: float) -> None:
        self.events.append(("done", artifact.name))

    def failed(self, artifact: Artifact, source: str, error: Exception, final: bool) -> None:
        self.events.append(("failed" if final else "next source", artifact.name))


def fill(store: Store, *wanted: Artifact) -> None:
    """Put artifacts into a store: the content of each is its id."""
    for artifact in wanted:
        content = store.room() / "content"
        if artifact.kind is Kind.TREE:
            content.mkdir()
        else:
            content.write_text(artifact.id)
        store.put(artifact, content, Origin("packages", "", ""))
