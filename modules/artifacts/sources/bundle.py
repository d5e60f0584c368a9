"""One tar file with everything: written from the store, proven before use, read without any network.

    bundle.json            first: what is in it, each with its digest
    blobs/<sha256>         a file as it is; a TREE as a tar of the folder
The same artifacts give the same bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Protocol

from modules.artifacts.source import Origin, Report
from modules.artifacts.sources import checksums
from modules.artifacts.sources.reference import machine
from modules.artifacts.sources.unpack import unpack_folder
from modules.artifacts.types import Artifact, Kind
from modules.base.errors import ArtifactError

INDEX = "bundle.json"
FORMAT = 1
_PIECE = 1 << 20


class Shelf(Protocol):
    """What a bundle is written from: the store."""

    def path(self, artifact: Artifact) -> Path: ...


@dataclass(frozen=True)
class Item:
    """One artifact in a bundle."""

    name: str
    version: str
    kind: Kind
    sha256: str
    size: int

    @property
    def artifact(self) -> Artifact:
        return Artifact(self.name, self.version, self.kind)

    @property
    def place(self) -> str:
        return f"blobs/{self.sha256}"


@dataclass(frozen=True)
class Problem:
    """Why a bundle does not serve: `what` is wrong with this artifact in it."""

    artifact: Artifact
    what: str


def quiet(_what: str, _done: int, _total: int) -> None:
    """A report that nobody reads."""


def write_bundle(artifacts: Iterable[Artifact], store: Shelf, path: Path, report: Report = quiet) -> str:
    """Write all `artifacts` out of the store to one file; returns `sha256:…` of its table of contents.

    Whoever compares that digest needs no other: the table names the digest of everything else.
    """
    wanted = sorted(set(artifacts), key=lambda a: a.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".stacklab-bundle-", dir=path.parent) as scratch:
        blobs: dict[str, Path] = {}
        items = []
        for number, artifact in enumerate(wanted):
            report(f"reading {artifact.id}", number, len(wanted))
            blob = store.path(artifact)
            if artifact.kind is Kind.TREE:
                blob = _pack(blob, Path(scratch) / f"{number}.tar")
            digest = checksums.of_file(blob).hex
            items.append(Item(artifact.name, artifact.version, artifact.kind, digest, blob.stat().st_size))
            blobs.setdefault(items[-1].place, blob)
        index = _render(items)
        whole = Path(scratch) / "bundle.tar"
        total, done = sum(b.stat().st_size for b in blobs.values()), 0
        with tarfile.open(whole, "w", format=tarfile.PAX_FORMAT) as tar:
            tar.addfile(_entry(INDEX, len(index)), io.BytesIO(index))
            for place in sorted(blobs):
                report(f"writing {path.name}", done, total)
                size = blobs[place].stat().st_size
                with blobs[place].open("rb") as file:
                    tar.addfile(_entry(place, size), file)
                done += size
        report(f"writing {path.name}", total, total)
        whole.replace(path)
    return str(checksums.of_bytes(index))


def prove(bundle: Path, artifacts: Iterable[Artifact], report: Report = quiet) -> list[Problem]:
    """Read every wanted byte of a bundle: what is missing in it or does not match its digest. Empty: it serves."""
    items = read_index(bundle)
    wanted = sorted(set(artifacts), key=lambda a: a.id)
    problems = [Problem(a, "is not in the bundle") for a in wanted if a not in items]
    present = [a for a in wanted if a in items]
    with _open(bundle) as tar:
        members = {}
        with contextlib.suppress(tarfile.TarError):  # a damaged file: what cannot be found is reported below
            for member in tar:
                members[member.name] = member
        for number, artifact in enumerate(present):
            report(f"proving {artifact.id}", number, len(present))
            item = items[artifact]
            data = tar.extractfile(members[item.place]) if item.place in members else None
            if data is None:
                problems.append(Problem(artifact, "is in the table of contents, its bytes are not in the bundle"))
                continue
            found = _digest_of(data)
            if found != item.sha256:
                problems.append(
                    Problem(artifact, f"does not match its digest: expected sha256:{item.sha256}, found sha256:{found}")
                )
    return sorted(problems, key=lambda p: p.artifact.id)


def read_index(bundle: Path) -> Mapping[Artifact, Item]:
    """The table of contents; ArtifactError when the file is none of ours."""
    with _open(bundle) as tar:
        try:
            first = tar.next()
            data = tar.extractfile(first) if first and first.name == INDEX else None
            table = json.loads(data.read()) if data else {}
            if table.get("format") != FORMAT:
                raise ValueError(f"it has no {INDEX} of format {FORMAT}")
            if table["architecture"] != machine():
                raise ValueError(f"it is for {table['architecture']}, this machine is {machine()}")
            items = [Item(**{**entry, "kind": Kind(entry["kind"])}) for entry in table["artifacts"]]
        except (tarfile.TarError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise _unreadable(bundle, error) from error
    return {item.artifact: item for item in items}


class BundleSource:
    """A Source that reads one bundle file; every artifact is checked against its digest as it is taken out."""

    def __init__(self, bundle: Path) -> None:
        self._bundle = bundle
        self._items: Mapping[Artifact, Item] | None = None

    @property
    def name(self) -> str:
        return "bundle"

    def reach(self) -> str:
        try:
            self._contents()
        except ArtifactError as error:
            return f"{self._bundle}: {error.what}"
        return ""

    def offers(self, artifact: Artifact) -> bool:
        return artifact in self._contents()

    def needs(self, artifact: Artifact) -> tuple[Artifact, ...]:
        return ()

    def get(self, artifact: Artifact, into: Path, report: Report) -> Origin:
        item = self._contents().get(artifact)
        if item is None:
            raise ArtifactError(f"{artifact.id} is not in the bundle", where=str(self._bundle))
        blob = into.with_name(into.name + ".blob")
        try:
            self._take(item, blob, lambda done: report("reading the bundle", done, item.size))
            if artifact.kind is Kind.TREE:
                unpack_folder(blob, ".", into, where=str(self._bundle))
            else:
                blob.replace(into)
                into.chmod(0o755 if artifact.kind is Kind.BINARY else 0o644)
        finally:
            blob.unlink(missing_ok=True)
        return Origin(self.name, f"{self._bundle}#{artifact.id}", f"sha256:{item.sha256}")

    def _contents(self) -> Mapping[Artifact, Item]:
        if self._items is None:
            self._items = read_index(self._bundle)
        return self._items

    def _take(self, item: Item, target: Path, progress: Callable[[int], None]) -> None:
        with _open(self._bundle) as tar:
            try:
                data = tar.extractfile(item.place)
            except (KeyError, tarfile.TarError):
                data = None
            if data is None:
                raise ArtifactError(f"{item.artifact.id} is named in the bundle and not in it", where=str(self._bundle))
            with target.open("wb") as file:
                found = _digest_of(data, file, progress)
        if found != item.sha256:
            raise ArtifactError(
                f"{item.artifact.id} in the bundle does not match its digest: expected sha256:{item.sha256}, "
                f"found sha256:{found}",
                where=str(self._bundle),
                hint="the file was damaged or changed: copy it again, or write it again with `stacklab bundle`",
            )


def _digest_of(data: IO[bytes], copy: IO[bytes] | None = None, progress: Callable[[int], None] | None = None) -> str:
    digest, done = hashlib.sha256(), 0
    try:
        while piece := data.read(_PIECE):
            digest.update(piece)
            done += len(piece)
            if copy:
                copy.write(piece)
            if progress:
                progress(done)
    except tarfile.ReadError:  # the bundle ends in the middle: what came has another digest
        digest.update(b"\0")
    return digest.hexdigest()


def _pack(folder: Path, target: Path) -> Path:
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.rglob("*")):
            entry = _entry(str(path.relative_to(folder)), 0)
            if path.is_symlink():
                entry.type, entry.linkname = tarfile.SYMTYPE, str(path.readlink())
                tar.addfile(entry)
                continue
            if path.is_dir():
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
                continue
            entry.size = path.stat().st_size
            entry.mode = 0o755 if path.stat().st_mode & 0o111 else 0o644
            with path.open("rb") as file:
                tar.addfile(entry, file)
    return target


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    return entry


def _render(items: Iterable[Item]) -> bytes:
    return (
        json.dumps(
            {"format": FORMAT, "architecture": machine(), "artifacts": [asdict(i) for i in items]}, indent=1
        ).encode()
        + b"\n"
    )


def _open(bundle: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(bundle, "r:")
    except (OSError, tarfile.TarError) as error:
        raise _unreadable(bundle, error) from error


def _unreadable(bundle: Path, error: Exception) -> ArtifactError:
    return ArtifactError(
        f"this is not a bundle that can be read: {error}",
        where=str(bundle),
        hint="write one with `stacklab bundle -o FILE` on a machine that has everything",
    )
