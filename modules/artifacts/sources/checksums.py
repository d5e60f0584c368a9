"""Digests and the files publishers write them in: bare hex, `hex  name` lines, BSD's `SHA256 (name) = hex`. Pure.

The algorithm is told by the length; only SHA-256 and SHA-512 are believed.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from modules.base.errors import ArtifactError

ALGORITHMS = {64: "sha256", 128: "sha512"}
_HEX = re.compile(r"[0-9a-fA-F]+")
_BSD = re.compile(r"SHA(?:256|512) ?\((?P<name>.+)\) ?= ?(?P<hex>[0-9a-fA-F]+)")


@dataclass(frozen=True)
class Digest:
    """Written `sha256:<hex>`, as registries do."""

    algorithm: str
    hex: str

    def __post_init__(self) -> None:
        if ALGORITHMS.get(len(self.hex)) != self.algorithm or not re.fullmatch(r"[0-9a-f]+", self.hex):
            raise ArtifactError(f"{self} is not a SHA-256 or SHA-512 digest")

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"

    @classmethod
    def parse(cls, text: str) -> Digest:
        algorithm, _, value = text.partition(":")
        return cls(algorithm, value)


def of_bytes(data: bytes, algorithm: str = "sha256") -> Digest:
    return Digest(algorithm, hashlib.new(algorithm, data).hexdigest())


def of_file(path: Path, algorithm: str = "sha256") -> Digest:
    """The digest of a file, read in pieces."""
    with path.open("rb") as file:
        return Digest(algorithm, hashlib.file_digest(file, algorithm).hexdigest())


def find(text: str, name: str, *, where: str) -> Digest:
    """The digest that a checksum file holds for the file `name`; `where` is its address, for the error."""
    found = {digest for line in text.splitlines() if (digest := _of_line(line.strip(), name))}
    if len(found) == 1:
        return found.pop()
    what = f"holds {len(found)} different digests for {name}" if found else f"holds no digest for {name}"
    raise ArtifactError(
        f"the publisher's checksum file {what}", where=where, output=text[:2000], hint="look at the file in a browser"
    )


def _of_line(line: str, name: str) -> Digest | None:
    bsd = _BSD.fullmatch(line)
    if bsd:
        value, named = bsd["hex"], bsd["name"]
    else:
        value, _, named = line.partition(" ")
        named = named.strip().removeprefix("*")
    algorithm = ALGORITHMS.get(len(value))
    if not algorithm or not _HEX.fullmatch(value):
        return None
    if named and PurePosixPath(named).name != name:
        return None
    return Digest(algorithm, value.lower())
