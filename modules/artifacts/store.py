"""The cache of artifacts: content in blobs/ by digest, names in index/ that point at it.

    blobs/<sha256>          a file, or a folder (digest over its tree)
    index/<kind>/<name>@<version>.json   {"digest", "origin": {...}}: written last, so what is listed is whole

Several writers may work at once: each writes beside and renames; the same content twice is the same blob.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from modules.artifacts.source import Origin
from modules.artifacts.types import Artifact, Kind
from modules.base.errors import ArtifactError

HOUR = 3600.0
FETCH = "run `stacklab fetch`; it makes or downloads what is missing"


@dataclass(frozen=True)
class Stored:
    """One line of the index."""

    artifact: Artifact
    digest: str
    origin: Origin


class Store:
    """A content-addressed folder. Everything in it is read-only to its users."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._blobs = root / "blobs"
        self._index = root / "index"

    def has(self, artifact: Artifact) -> bool:
        return self._stored(artifact) is not None

    def stored(self, artifact: Artifact) -> Stored:
        """Its line of the index; raises ArtifactError when it is not here."""
        found = self._stored(artifact)
        if found is None:
            raise ArtifactError(f"{artifact.id} is not in the artifact cache", where=str(self.root), hint=FETCH)
        return found

    def digest(self, artifact: Artifact) -> str:
        """sha256 of its content, as hex."""
        return self.stored(artifact).digest

    def path(self, artifact: Artifact) -> Path:
        """Where its content is: a file, or a folder for a TREE."""
        return self._blobs / self.stored(artifact).digest

    def room(self) -> Path:
        """A new empty folder on the store's own disk to make something in; `put` renames from there."""
        folder = self.root / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=folder))

    def put(self, artifact: Artifact, content: Path, origin: Origin) -> Path:
        """Take a finished file or folder into the store; it is moved when it lies on the same disk."""
        if not content.exists():
            raise ArtifactError(f"{artifact.id} was not made", where=origin.source, command=origin.url)
        if content.is_dir() != (artifact.kind is Kind.TREE):
            raise ArtifactError(f"{artifact.id} is of the wrong shape", where=str(content))
        _set_modes(content, artifact.kind)
        digest = digest_of(content)
        self._blobs.mkdir(parents=True, exist_ok=True)
        blob = self._blobs / digest
        if not blob.exists():
            _move(content, blob)
        line = {"digest": digest, "origin": asdict(origin)}
        _write(self._line(artifact), json.dumps(line, indent=1) + "\n")
        return blob

    def check(self, artifact: Artifact) -> bool:
        """Whether the content still is what the index says."""
        found = self.stored(artifact)
        return digest_of(self._blobs / found.digest) == found.digest

    def forget(self, artifact: Artifact) -> None:
        """Take its line out of the index; the content goes with the next `tidy`."""
        self._line(artifact).unlink(missing_ok=True)

    def all(self) -> Iterator[Stored]:
        """Every line of the index, in the order of their ids."""
        for line in sorted(self._index.glob("**/*.json")):
            kind, _, rest = str(line.relative_to(self._index))[: -len(".json")].partition("/")
            name, _, version = rest.rpartition("@")
            found = self._stored(Artifact(name, version, Kind(kind)))
            if found:
                yield found

    def tidy(self, older: float = HOUR) -> int:
        """Remove content that no line names and what interrupted runs left; returns the bytes freed.

        What is younger than `older` seconds stays: another writer may be about to name it.
        """
        before = time.time() - older
        named = {stored.digest for stored in self.all()}
        leftovers = [blob for blob in self._blobs.glob("*") if blob.name not in named]
        leftovers += list((self.root / "tmp").glob("*"))
        leftovers = [path for path in leftovers if path.lstat().st_ctime <= before]
        freed = sum(size_of(path) for path in leftovers)
        for path in leftovers:
            remove(path)
        return freed

    def _line(self, artifact: Artifact) -> Path:
        line = self._index / f"{artifact.kind}/{artifact.name}@{artifact.version}.json"
        if not line.resolve().is_relative_to(self._index.resolve()):
            raise ArtifactError(f"{artifact.id} is not a name the cache can keep")
        return line

    def _stored(self, artifact: Artifact) -> Stored | None:
        try:
            line = json.loads(self._line(artifact).read_text())
            found = Stored(artifact, str(line["digest"]), Origin(**line["origin"]))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, KeyError, TypeError):  # a damaged line counts as absent: the artifact is made again
            return None
        return found if (self._blobs / found.digest).exists() else None


def digest_of(path: Path) -> str:
    """sha256 of a file; of a folder: over the sorted list of its paths, modes and contents."""
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    whole = hashlib.sha256()
    for each in sorted(path.rglob("*"), key=lambda p: p.relative_to(path).as_posix()):
        name = each.relative_to(path).as_posix()
        if each.is_symlink():
            what = f"link {each.readlink()}"
        elif each.is_dir():
            what = "folder"
        else:
            what = f"file {'x' if each.stat().st_mode & stat.S_IXUSR else '-'} {digest_of(each)}"
        whole.update(f"{name}\0{what}\n".encode())
    return whole.hexdigest()


def size_of(path: Path) -> int:
    """Bytes of a file or of all files below a folder."""
    if path.is_dir() and not path.is_symlink():
        return sum(p.lstat().st_size for p in path.rglob("*") if not p.is_dir())
    return path.lstat().st_size if path.exists() else 0


def remove(path: Path) -> None:
    """Remove a file or folder, also one whose folders are read-only (as Go's module cache makes them)."""
    if path.is_dir() and not path.is_symlink():
        for folder, _, _ in os.walk(path):
            Path(folder).chmod(0o700)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _set_modes(content: Path, kind: Kind) -> None:
    if kind is Kind.BINARY:
        content.chmod(0o755)
    elif kind is not Kind.TREE:
        content.chmod(0o644)


def _move(content: Path, blob: Path) -> None:
    beside = Path(tempfile.mkdtemp(dir=blob.parent, prefix=".")) / "content"
    try:
        shutil.move(content, beside)
        try:
            beside.rename(blob)
        except OSError:
            if not blob.exists():  # else another writer was first with the same content
                raise
    finally:
        remove(beside.parent)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)
