"""A layer of a container image: a tar stream that is a function of its entries alone.

Nothing is written to disk: a layer is rendered once to learn its digest and again into the archive. Times are zero,
owners are numbers, entries are sorted, missing parent folders are added.
"""

from __future__ import annotations

import hashlib
import io
import stat
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

CHUNK = 1 << 20


@dataclass(frozen=True)
class File:
    """A regular file, from bytes or from a file of this machine."""

    path: str
    content: bytes | Path
    mode: int = 0o644
    owner: int = 0


@dataclass(frozen=True)
class Folder:
    path: str
    mode: int = 0o755
    owner: int = 0


@dataclass(frozen=True)
class Symlink:
    path: str
    target: str


@dataclass(frozen=True)
class HardLink:
    """A second name of a file in the same layer."""

    path: str
    target: str


Entry = File | Folder | Symlink | HardLink


class Sink(Protocol):
    """Where bytes go: an open file, a hash."""

    def write(self, data: bytes, /) -> object: ...


@dataclass(frozen=True)
class Layer:
    """digest is `sha256:…` of what `write` puts into a sink; size is its length."""

    digest: str
    size: int
    write: Callable[[Sink], None]


def from_entries(entries: Iterable[Entry]) -> Layer:
    """A layer that holds the entries; the same entries in another order are the same layer."""
    ordered = _complete(entries)
    return _layer(lambda sink: _write_tar(ordered, sink))


def from_tar(tar: Path, digest: str | None = None) -> Layer:
    """An uncompressed tar file as it is; digest (`sha256:…`) where it is known already."""

    def write(sink: Sink) -> None:
        with tar.open("rb") as source:
            while chunk := source.read(CHUNK):
                sink.write(chunk)

    return Layer(digest, tar.stat().st_size, write) if digest else _layer(write)


def tree(folder: Path, under: str = "", *, executable: Callable[[str], bool] | None = None) -> list[Entry]:
    """The files below a folder as entries under `under`, executable as `executable` says or as they are on disk."""
    entries: list[Entry] = []
    for file in sorted(folder.rglob("*")):
        name = str(PurePosixPath(under) / file.relative_to(folder).as_posix())
        if file.is_symlink():
            entries.append(Symlink(name, str(file.readlink())))
        elif file.is_dir():
            entries.append(Folder(name))
        else:
            runs = executable(name) if executable else bool(file.stat().st_mode & 0o100)
            entries.append(File(name, file, 0o755 if runs else 0o644))
    return entries


def _layer(write: Callable[[Sink], None]) -> Layer:
    hashed = _Hash()
    write(hashed)
    return Layer(f"sha256:{hashed.digest.hexdigest()}", hashed.size, write)


class _Hash:
    def __init__(self) -> None:
        self.digest, self.size = hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        self.size += len(data)
        self.digest.update(data)


def _complete(entries: Iterable[Entry]) -> list[Entry]:
    """Sorted by path with the folders above each; hard links last, as their target must come first."""
    named: dict[str, Entry] = {}
    for entry in entries:
        path = entry.path.strip("/")
        if path in named and named[path] != entry:
            raise ValueError(f"two different entries for /{path} in one layer")
        named[path] = entry
    for path in list(named):
        for parent in PurePosixPath(path).parents:
            if str(parent) != ".":
                named.setdefault(str(parent), Folder(str(parent)))
    return sorted(named.values(), key=lambda e: (isinstance(e, HardLink), e.path.strip("/")))


def _write_tar(entries: Iterable[Entry], sink: Sink) -> None:
    with tarfile.open(fileobj=_Writer(sink), mode="w|", format=tarfile.PAX_FORMAT, bufsize=CHUNK) as tar:  # type: ignore[call-overload]  # typeshed wants a whole IO
        for entry in entries:
            _add(tar, entry)


def _add(tar: tarfile.TarFile, entry: Entry) -> None:
    header = tarfile.TarInfo(entry.path.strip("/"))
    header.mtime, header.mode = 0, 0o777
    match entry:
        case Folder(_, mode, owner):
            header.type, header.mode, header.uid, header.gid = tarfile.DIRTYPE, mode, owner, owner
            tar.addfile(header)
        case Symlink(_, target):
            header.type, header.linkname = tarfile.SYMTYPE, target
            tar.addfile(header)
        case HardLink(_, target):
            header.type, header.linkname = tarfile.LNKTYPE, target.strip("/")
            tar.addfile(header)
        case File(_, content, mode, owner):
            header.mode, header.uid, header.gid = mode, owner, owner
            with _open(content) as source:
                header.size = _size(content)
                tar.addfile(header, source)


def _open(content: bytes | Path) -> BinaryIO:
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def _size(content: bytes | Path) -> int:
    if isinstance(content, bytes):
        return len(content)
    info = content.stat()
    if not stat.S_ISREG(info.st_mode):
        raise ValueError(f"{content} is not a regular file")
    return info.st_size


class _Writer:
    """The part of a file that tarfile's stream mode needs."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def write(self, data: bytes) -> int:
        self.sink.write(data)
        return len(data)
