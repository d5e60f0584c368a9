"""The one protocol behind which all sources stand: cache, bundle, mirror, upstream, packages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from modules.artifacts.types import Artifact

# What is under way, how much of it is done, of how much (0: unknown). Bytes or any other unit.
Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Origin:
    """Where the bytes came from: which source, which address or module, and the digest they were checked against."""

    source: str
    url: str
    digest: str


class Source(Protocol):
    @property
    def name(self) -> str: ...

    def reach(self) -> str:
        """Empty when it can be used, else the reason; decided within 3 s."""
        ...

    def offers(self, artifact: Artifact) -> bool: ...

    def needs(self, artifact: Artifact) -> tuple[Artifact, ...]:
        """What must be in the store before `get`: an image that is put together needs its binaries. Mostly nothing."""
        ...

    def get(self, artifact: Artifact, into: Path, report: Report) -> Origin:
        """Make or download it at `into` (a file, or a folder for a TREE), which does not exist yet.

        Raises ArtifactError when it cannot be had.
        """
        ...


class Limited:
    """A source that offers only some of what it could."""

    def __init__(self, source: Source, allowed: Callable[[Artifact], bool]) -> None:
        self._source = source
        self._allowed = allowed

    @property
    def name(self) -> str:
        return self._source.name

    def reach(self) -> str:
        return self._source.reach()

    def offers(self, artifact: Artifact) -> bool:
        return self._allowed(artifact) and self._source.offers(artifact)

    def needs(self, artifact: Artifact) -> tuple[Artifact, ...]:
        return self._source.needs(artifact)

    def get(self, artifact: Artifact, into: Path, report: Report) -> Origin:
        return self._source.get(artifact, into, report)
