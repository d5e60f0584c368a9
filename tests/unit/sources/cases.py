"""A small catalogue that tests publish on their own servers, and a shelf of finished artifacts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from modules.artifacts.lock import Lock
from modules.artifacts.sources.addresses import Addresses, Publishers
from modules.artifacts.sources.published import PublishedSource
from modules.artifacts.types import Artifact, Component, GoProgram, Image, Kind, Recipe, Upstream
from tests.unit.sources.conftest import QUICK

TOOL = Artifact("tool", "1.2.3", Kind.BINARY)
TREE = Artifact("tree", "1", Kind.TREE)
TEXT = Artifact("text", "1", Kind.MANIFEST)


@dataclass
class Catalogue:
    """`find` as the real one has it."""

    components: dict[Artifact, Component] = field(default_factory=dict)

    def find(self, artifact: Artifact) -> Component | None:
        return self.components.get(artifact)

    def add(self, artifact: Artifact, upstream: Upstream | None, recipe: Recipe | None = None) -> Artifact:
        self.components[artifact] = Component(artifact, recipe or GoProgram("w", "p"), upstream)
        return artifact

    def image(self, name: str, tag: str, *, upstream: bool = True) -> Artifact:
        image = Image(name, tag, {}, (), upstream=upstream)
        return self.add(image.artifact, None, image)


@dataclass
class Shelf:
    """Finished artifacts in a folder."""

    root: Path

    def path(self, artifact: Artifact) -> Path:
        return self.root / artifact.id.replace("/", "_")

    def has(self, artifact: Artifact) -> bool:
        return self.path(artifact).exists()


def published(
    catalogue: Catalogue,
    client: httpx.Client,
    folder: Path,
    addresses: Addresses | None = None,
    *,
    name: str = "upstream",
    wanted: Iterable[Artifact] = (),
) -> PublishedSource:
    return PublishedSource(
        name,
        addresses or Publishers(),
        find=catalogue.find,
        wanted=wanted,
        lock=Lock(folder / "artifacts.lock"),
        work=folder / "work",
        client=client,
        architecture="amd64",
        tries=QUICK,
    )


def ignore(_what: str, _done: int, _total: int) -> None:
    """A report that nobody reads."""
