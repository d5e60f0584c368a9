"""What the images need of a container engine; modules.host has the one that really works here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from modules.base.shell import Result


class ContainerEngine(Protocol):
    """podman or docker with the environment that every call of it needs."""

    @property
    def name(self) -> str: ...

    @property
    def binary(self) -> str: ...

    @property
    def env(self) -> Mapping[str, str]: ...

    def run(self, *args: str, timeout: float, **kw: Any) -> Result: ...


LOAD_TIMEOUT = 600


def has(engine: ContainerEngine, reference: str) -> bool:
    """Whether the engine holds an image of that name."""
    return engine.run("image", "inspect", "--format", "{{.Id}}", reference, timeout=60, check=False).code == 0


def load(engine: ContainerEngine, archive: Path) -> None:
    """Take all images of an archive into the engine."""
    engine.run("load", "--quiet", "--input", str(archive), timeout=LOAD_TIMEOUT, where=archive.name)


def forget(engine: ContainerEngine, reference: str) -> None:
    """Remove a name; what other images stand on stays."""
    engine.run("rmi", "--force", reference, timeout=120, check=False)
