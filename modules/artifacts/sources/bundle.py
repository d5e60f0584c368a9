"""One tar file with everything labs need: proven before use, read without any network (bundle_writing writes it).

    bundle.json            first: what is in it, each with its digest, and the stacks that it was written for
    blobs/<sha256>.gz      a file; a TREE as a tar of the folder. The digest is that of the content before it was packed
The same artifacts give the same bytes.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import tarfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from modules.artifacts.source import Origin, Report
from modules.artifacts.sources.reference import machine
from modules.artifacts.sources.unpack import unpack_folder
from modules.artifacts.types import Artifact, Kind
from modules.base.errors import ArtifactError

INDEX = "bundle.json"
FORMAT = 2
_PIECE = 1 << 20


@dataclass(frozen=True)
class Item:
    """One artifact in a bundle; size and digest are those of its content."""

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
        return f"blobs/{self.sha256}.gz"


@dataclass(frozen=True)
class Problem:
    """Why a bundle does not serve: `what` is wrong with this artifact in it; digest is the one that is wanted."""

    artifact: Artifact
    what: str
    digest: str = ""


def quiet(_what: str, _done: int, _total: int) -> None:
    """A report that nobody reads."""


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
            digest = f"sha256:{item.sha256}"
            data = tar.extractfile(members[item.place]) if item.place in members else None
            if data is None:
                what = "is in the table of contents, its bytes are not in the bundle"
                problems.append(Problem(artifact, what, digest))
                continue
            found = _digest_of(data, item.size)
            if found != item.sha256:
                problems.append(Problem(artifact, f"does not match its digest, found sha256:{found}", digest))
    return sorted(problems, key=lambda p: p.artifact.id)


def read_index(bundle: Path) -> Mapping[Artifact, Item]:
    """The table of contents; ArtifactError when the file is none of ours."""
    table = _table(bundle)
    try:
        items = [Item(**{**entry, "kind": Kind(entry["kind"])}) for entry in table["artifacts"]]
    except (ValueError, TypeError, KeyError) as error:
        raise _unreadable(bundle, error) from error
    return {item.artifact: item for item in items}


def stacks_of(bundle: Path) -> tuple[str, ...]:
    """The stacks that it was written for."""
    return tuple(str(name) for name in _table(bundle).get("stacks") or ())


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
                found = _digest_of(data, item.size, file, progress)
        if found != item.sha256:
            raise ArtifactError(
                f"{item.artifact.id} in the bundle does not match its digest: expected sha256:{item.sha256}, "
                f"found sha256:{found}",
                where=str(self._bundle),
                hint="the file was damaged or changed: copy it again, or write it again with `stacklab bundle`",
            )


def _digest_of(
    packed: IO[bytes], size: int, copy: IO[bytes] | None = None, progress: Callable[[int], None] | None = None
) -> str:
    """The digest of what was packed; of anything that is not `size` bytes long it is another one than the content's."""
    digest, done = hashlib.sha256(), 0
    # Cut off or damaged: what came until then has another digest.
    damage = contextlib.suppress(tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error)
    with damage, gzip.GzipFile(fileobj=packed) as data:
        while done <= size and (piece := data.read(_PIECE)):
            digest.update(piece)
            done += len(piece)
            if copy:
                copy.write(piece)
            if progress:
                progress(done)
    return digest.hexdigest()


def _table(bundle: Path) -> dict[str, Any]:
    with _open(bundle) as tar:
        try:
            first = tar.next()
            data = tar.extractfile(first) if first and first.name == INDEX else None
            table: dict[str, Any] = json.loads(data.read()) if data else {}
            if table.get("format") != FORMAT:
                raise ValueError(f"it has no {INDEX} of format {FORMAT}")
            if table["architecture"] != machine():
                raise ValueError(f"it is for {table['architecture']}, this machine is {machine()}")
        except (tarfile.TarError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise _unreadable(bundle, error) from error
    return table


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
