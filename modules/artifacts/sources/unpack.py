"""What a publisher packed: one file, or a folder, out of a tar (any compression), a zip or a gzip file.

Names that would lead out of the target are refused; device files do not come along.
"""

from __future__ import annotations

import contextlib
import gzip
import posixpath
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from modules.base.errors import ArtifactError


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


@dataclass(frozen=True)
class Packed:
    """One entry: a file has `data`, a symbolic link has `link` (where it points), a folder neither."""

    name: str
    data: Readable | None = None
    executable: bool = False
    link: str = ""


def unpack_file(archive: Path, member: str, target: Path, *, where: str) -> None:
    """The file `member` of an archive to `target`; with an archive that is one gzip file, its content."""
    for entry in _entries(archive, where):
        if entry.name == _clean(member) and entry.data:
            with target.open("wb") as file:
                shutil.copyfileobj(entry.data, file)
            return
    raise ArtifactError(f"holds no file {member}", where=where, hint="the publisher packs it differently: tell us")


def unpack_folder(archive: Path, member: str, target: Path, *, where: str) -> None:
    """The folder `member` of an archive ("." for all of it) to the new folder `target`."""
    prefix = "" if member == "." else _clean(member) + "/"
    target.mkdir()
    found = member == "."
    for entry in _entries(archive, where):
        if not entry.name.startswith(prefix):
            continue
        found = True
        path = target / entry.name.removeprefix(prefix)
        if any(part.is_symlink() for part in (path, *path.parents)[: len(path.parts) - len(target.parts)]):
            raise ArtifactError(f"its file {entry.name} lies behind a link", where=where)
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry.link:
            points = posixpath.normpath(posixpath.join(posixpath.dirname(entry.name), entry.link))
            if entry.link.startswith("/") or not (points + "/").startswith(prefix) or points.startswith(".."):
                raise ArtifactError(f"its link {entry.name} leads out of it, to {entry.link}", where=where)
            path.symlink_to(entry.link)
            continue
        if entry.data is None:
            path.mkdir(exist_ok=True)
            continue
        with path.open("wb") as file:
            shutil.copyfileobj(entry.data, file)
        path.chmod(0o755 if entry.executable else 0o644)
    if not found:
        raise ArtifactError(
            f"holds no folder {member}", where=where, hint="the publisher packs it differently: tell us"
        )


def _entries(archive: Path, where: str) -> Iterator[Packed]:
    with contextlib.ExitStack() as stack:
        if zipfile.is_zipfile(archive):
            yield from _zip(stack.enter_context(zipfile.ZipFile(archive)), where)
            return
        try:
            tar = stack.enter_context(tarfile.open(archive, "r:*"))
        except tarfile.ReadError:
            yield from _gzip(archive, where)
            return
        yield from _tar(tar, where)


def _tar(tar: tarfile.TarFile, where: str) -> Iterator[Packed]:
    for entry in tar:
        name = _safe(entry.name, where)
        if entry.issym():
            yield Packed(name, link=entry.linkname)
        elif entry.isdir():
            yield Packed(name)
        elif entry.isreg() or entry.islnk():
            data = tar.extractfile(entry)
            if data is not None:
                yield Packed(name, data, bool(entry.mode & 0o111))


def _zip(archive: zipfile.ZipFile, where: str) -> Iterator[Packed]:
    for entry in archive.infolist():
        mode = entry.external_attr >> 16
        if not entry.is_dir() and not stat.S_ISLNK(mode):
            with archive.open(entry) as data:
                yield Packed(_safe(entry.filename, where), data, bool(mode & 0o111))


def _gzip(archive: Path, where: str) -> Iterator[Packed]:
    try:
        with gzip.open(archive) as data:
            data.peek(1)
            yield Packed(archive.name.removesuffix(".gz"), data)
    except gzip.BadGzipFile:
        raise ArtifactError("is not an archive that is known: tar, zip or gzip", where=where) from None


def _safe(name: str, where: str) -> str:
    clean = _clean(name)
    if name.startswith("/") or clean == ".." or clean.startswith("../"):
        raise ArtifactError(f"holds a name that leads out of it: {name}", where=where)
    return clean


def _clean(name: str) -> str:
    return posixpath.normpath(name)
