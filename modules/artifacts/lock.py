"""The lock file: which digest each address had when it was first used. Written once, enforced from then on.

A digest gets in only when the publisher wrote it (a checksum file, a registry's answer for a tag) or when it was
computed from the bytes that came over TLS where the publisher has no checksum file; `said_by` tells which.
Entries are keyed by the upstream address, so a mirror is held to the same digests. What is built from Go modules is
proven by go.sum and is not in here.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from modules.artifacts.sources.checksums import Digest
from modules.base.errors import ArtifactError

DEFAULT = Path(__file__).with_name("artifacts.lock")


@dataclass(frozen=True)
class Entry:
    """One line of the lock file. `id` is the artifact, `url` the upstream address of the bytes."""

    id: str
    url: str
    algorithm: str
    digest: str
    said_by: str

    @property
    def value(self) -> Digest:
        return Digest(self.algorithm, self.digest)


class Lock:
    """The lock file at `path`; threads and processes may share it. A file that is not there is an empty lock."""

    def __init__(self, path: Path = DEFAULT) -> None:
        self.path = path

    def get(self, url: str) -> Entry | None:
        return self._read().get(url)

    def add(self, entry: Entry) -> None:
        """Write an entry down. One that is there with another digest is an error, never replaced."""
        with self._alone():
            entries = self._read()
            known = entries.get(entry.url)
            if known and known.value != entry.value:
                raise self.mismatch(known, str(entry.value), entry.said_by)
            if known:
                return
            entries[entry.url] = entry
            text = render(entries)
            new = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
            new.write_text(text)
            new.replace(self.path)

    def mismatch(self, known: Entry, found: str, found_at: str) -> ArtifactError:
        return ArtifactError(
            f"{known.id} is not what it was: expected {known.value}, found {found} at {found_at}",
            where=known.url,
            output=f"locked in {self.path}, said then by {known.said_by}",
            hint="find out why it changed before you use it; if the publisher says so too, remove its entry from the "
            "lock file and run `stacklab fetch` again",
        )

    def _read(self) -> dict[str, Entry]:
        try:
            text = self.path.read_text()
        except FileNotFoundError:
            return {}
        return parse(text, str(self.path))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # The folder is locked, not the file: the file is replaced, and a lock file beside it would be litter in git.
        handle = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def render(entries: dict[str, Entry]) -> str:
    """The text of a lock file: JSON, in the order of id and address, the same for the same entries."""
    ordered = sorted(entries.values(), key=lambda e: (e.id, e.url))
    return json.dumps({"artifacts": [asdict(e) for e in ordered]}, indent=2) + "\n"


def parse(text: str, where: str) -> dict[str, Entry]:
    """Read a lock file; anything that is not exactly one is an error, never skipped."""
    try:
        entries = [Entry(**item) for item in json.loads(text)["artifacts"]]
        for entry in entries:
            if not entry.value.hex or not entry.said_by:
                raise ValueError(f"{entry.id} does not say who said its digest")
    except (ValueError, TypeError, KeyError, ArtifactError) as error:
        raise ArtifactError(
            f"the lock file cannot be read: {error}", where=where, hint="get it back with `git checkout` of that file"
        ) from error
    by_url = {entry.url: entry for entry in entries}
    if len(by_url) != len(entries):
        raise ArtifactError(
            "the lock file has an address twice", where=where, hint="keep one of the entries, the one that is right"
        )
    return by_url
