"""One address -> one file: streamed, resumed where it stopped, tried again a bounded number of times.

A part of a file stays beside its target as `<target>.part`, with what is known of it (`.part.json`: address, ETag), so
that a later run goes on with it. If-Range makes the server send everything again when the file has changed meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from modules.artifacts.sources import checksums
from modules.artifacts.sources.checksums import Digest
from modules.base.errors import ArtifactError

Progress = Callable[[int, int], None]  # bytes so far, bytes in all (0: not known)
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
LONGEST_PAUSE = 15.0


@dataclass(frozen=True)
class Tries:
    """How often: `most` attempts in a row that bring nothing new, with a growing pause between them."""

    most: int = 4
    first_pause: float = 0.5

    def pause(self, failures: int, asked: float = 0.0) -> float:
        """Seconds before the next attempt; `asked` is the server's Retry-After."""
        return min(max(asked, self.first_pause * 2.0 ** (failures - 1)), LONGEST_PAUSE)


class RefusedError(ArtifactError):
    """The server answered and will answer the same again: `status` says why, `challenge` how to sign in."""

    def __init__(self, answer: httpx.Response, url: str) -> None:
        super().__init__(
            f"the server answered {answer.status_code} {answer.reason_phrase}".rstrip(),
            where=url,
            hint="this version may not be published there (any more): look at the address in a browser",
        )
        self.status = answer.status_code
        self.challenge = answer.headers.get("www-authenticate", "")


class _BrokenError(Exception):
    """This attempt failed and another may not."""

    def __init__(self, why: str, after: float = 0.0) -> None:
        super().__init__(why)
        self.after = after


def nothing(done: int, total: int) -> None:
    """Progress that nobody looks at."""


def download(
    client: httpx.Client,
    url: str,
    target: Path,
    *,
    expected: Digest | None = None,
    size: int | None = None,
    progress: Progress = nothing,
    tries: Tries | None = None,
    headers: Mapping[str, str] | None = None,
) -> Path:
    """Bring `url` to `target`; with `expected` a file of another digest is deleted and ArtifactError names both.

    size is what a manifest says of it. A target that is there and has the expected digest is not asked for again.
    """
    if expected and target.exists() and checksums.of_file(target, expected.algorithm) == expected:
        progress(target.stat().st_size, target.stat().st_size)
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _Part(target, url)
    tries = tries or Tries()
    failures, best = 0, part.size()
    while True:
        try:
            _attempt(client, url, part, size, progress, dict(headers or {}))
            break
        except _BrokenError as error:
            gained = part.size() > best
            failures, best = (1 if gained else failures + 1), max(best, part.size())
            if failures >= tries.most:
                raise ArtifactError(
                    f"the download failed {failures} times without getting further: {error}",
                    where=url,
                    hint="run the same command again: it goes on where it stopped",
                ) from error
            time.sleep(tries.pause(failures, error.after))
    if expected:
        found = checksums.of_file(part.path, expected.algorithm)
        if found != expected:
            part.drop()
            raise ArtifactError(
                f"the download does not match its digest: expected {expected}, found {found}; it was deleted",
                where=url,
                hint="something changed it on the way, or the publisher replaced it: try another network or source",
            )
    part.path.replace(target)
    part.drop()
    return target


def get_small(
    client: httpx.Client, url: str, *, headers: Mapping[str, str] | None = None, tries: Tries | None = None
) -> httpx.Response:
    """A small answer, such as a checksum file or a manifest, whatever its status is but a passing trouble's."""
    tries = tries or Tries()
    failures = 0
    while True:
        try:
            answer = client.get(url, headers=dict(headers or {}))
            _passing(answer)
            return answer
        except (httpx.RequestError, _BrokenError) as error:
            failures += 1
            if failures >= tries.most:
                raise ArtifactError(f"asked {failures} times in vain: {describe(error)}", where=url) from error
            time.sleep(tries.pause(failures, error.after if isinstance(error, _BrokenError) else 0.0))


def describe(error: Exception) -> str:
    """An HTTP library's error in words: some of them have no text at all."""
    return str(error) or type(error).__name__


def _attempt(
    client: httpx.Client, url: str, part: _Part, size: int | None, progress: Progress, headers: dict[str, str]
) -> None:
    have = part.size()
    tag = part.tag()
    if have and tag:
        headers |= {"Range": f"bytes={have}-", "If-Range": tag}
    else:
        have = 0
    try:
        with client.stream("GET", url, headers=headers) as answer:
            if answer.status_code == 416:  # the part is as long as the file, or longer than what it is now
                total = answer.headers.get("content-range", "").rpartition("/")[2]
                if total == str(have):
                    return
                part.drop()
                raise _BrokenError("the part that was there is longer than the file")
            _refuse(answer, url)
            resumed = answer.status_code == 206
            if resumed and not answer.headers.get("content-range", "").startswith(f"bytes {have}-"):
                part.drop()
                raise _BrokenError(f"the server sent another part than bytes {have}-")
            have = have if resumed else 0
            length = answer.headers.get("content-length", "")
            total = have + int(length) if length.isdigit() else (size or 0)
            part.note(answer.headers)
            with part.path.open("ab" if resumed else "wb") as file:
                progress(have, total)
                for chunk in answer.iter_raw():
                    file.write(chunk)
                    have += len(chunk)
                    progress(have, total)
    except httpx.RequestError as error:
        raise _BrokenError(describe(error)) from error
    for announced in (total, size or 0):
        if announced and have != announced:
            if have > announced:
                part.drop()
            raise _BrokenError(f"{have} of {announced} bytes came")


def _passing(answer: httpx.Response) -> None:
    if answer.status_code in AGAIN:
        after = answer.headers.get("retry-after", "")
        raise _BrokenError(f"the server answered {answer.status_code}", float(after) if after.isdigit() else 0.0)


def _refuse(answer: httpx.Response, url: str) -> None:
    _passing(answer)
    if answer.status_code >= 400:
        raise RefusedError(answer, url)


class _Part:
    """The unfinished file beside its target and the note of where it comes from."""

    def __init__(self, target: Path, url: str) -> None:
        self.path = target.with_name(target.name + ".part")
        self._note = target.with_name(target.name + ".part.json")
        self._url = url

    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def tag(self) -> str:
        """What If-Range wants: a strong ETag or the Last-Modified of the part; empty when it cannot be gone on with."""
        try:
            note = json.loads(self._note.read_text())
        except (FileNotFoundError, ValueError):
            return ""
        return str(note["tag"]) if note.get("url") == self._url else ""

    def note(self, headers: httpx.Headers) -> None:
        etag = headers.get("etag", "")
        tag = etag if etag and not etag.startswith("W/") else headers.get("last-modified", "")
        self._note.write_text(json.dumps({"url": self._url, "tag": tag}))

    def drop(self) -> None:
        for path in (self.path, self._note):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
