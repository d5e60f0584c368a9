"""Image references as upstream manifests write them, and the platform this machine pulls. Pure but for `machine()`."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass

from modules.base.errors import ArtifactError

HOSTS = {"docker.io": "registry-1.docker.io"}  # where the API of a registry is when not under its own name
ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPO = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class Reference:
    """`docker.io/library/traefik:v3.6.12` in parts; `str` gives the full name with its tag."""

    registry: str
    repository: str
    tag: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}:{self.tag}"


def parse(text: str) -> Reference:
    """A full or short name; what is left out is docker.io, library/ and latest, as container engines have it."""
    first, slash, rest = text.partition("/")
    named = bool(slash) and ("." in first or ":" in first or first == "localhost")
    registry, path = (first, rest) if named else ("docker.io", text)
    repository, _, tag = path.partition(":")
    if registry == "docker.io" and "/" not in repository:
        repository = f"library/{repository}"
    tag = tag or "latest"
    if not _REPO.fullmatch(repository) or not _TAG.fullmatch(tag):
        raise ArtifactError(f"{text!r} is not the name of an image", hint="write it as registry/repository:tag")
    return Reference(registry, repository, tag)


def machine() -> str:
    """This machine's architecture as images name it."""
    name = platform.machine().lower()
    try:
        return ARCHITECTURES[name]
    except KeyError:
        raise ArtifactError(f"nothing is published for a machine of the kind {name}") from None
