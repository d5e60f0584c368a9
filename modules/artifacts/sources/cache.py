"""The store as a source: first in every order, so that what is there is never asked for elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol

from modules.artifacts.source import Origin, Report
from modules.artifacts.types import Artifact


class Shelf(Protocol):
    """The part of the store that reads."""

    def has(self, artifact: Artifact) -> bool: ...

    def path(self, artifact: Artifact) -> Path: ...


class CacheSource:
    """Has what the store has."""

    def __init__(self, store: Shelf) -> None:
        self._store = store

    @property
    def name(self) -> str:
        return "cache"

    def reach(self) -> str:
        return ""

    def offers(self, artifact: Artifact) -> bool:
        return self._store.has(artifact)

    def needs(self, artifact: Artifact) -> tuple[Artifact, ...]:
        return ()

    def get(self, artifact: Artifact, into: Path, report: Report) -> Origin:
        path = self._store.path(artifact)
        if path.is_dir():
            shutil.copytree(path, into, symlinks=True)
        else:
            shutil.copy2(path, into)
        return Origin(self.name, str(path), "")
