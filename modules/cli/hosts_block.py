"""A marked block of lines in a hosts file: put in and taken out; all else stays byte for byte. Pure, but `save`."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from modules.base.errors import StacklabError


def begin(stack: str) -> bytes:
    """The line that opens the stack's block."""
    return f"# stacklab:{stack} begin".encode()


def end(stack: str) -> bytes:
    """The line that closes it."""
    return f"# stacklab:{stack} end".encode()


def insert(content: bytes, stack: str, lines: Sequence[str]) -> bytes:
    """The content with the stack's block; one that is there is replaced where it stands, a new one goes to the end."""
    span = _find(content, stack)
    if span is not None:
        start, stop = span
        joined = _joined(content[start:stop])
        return content[:start] + _block(stack, lines, joined=joined) + content[stop:]
    joined = bool(content) and not content.endswith(b"\n")
    return content + (b"\n" if joined else b"") + _block(stack, lines, joined=joined)


def remove(content: bytes, stack: str) -> bytes:
    """The content without the stack's block: what it was before `insert`, when nothing else was changed."""
    span = _find(content, stack)
    if span is None:
        return content
    start, stop = span
    before, block, after = content[:start], content[start:stop], content[stop:]
    if _joined(block) and not after:
        before = before.removesuffix(b"\n")
    return before + after


# In a file whose last line had no newline, the block remembers that the one before it is not the user's.
NOTE = b"# (the newline before this block belongs to it)"


def _block(stack: str, lines: Sequence[str], *, joined: bool) -> bytes:
    inside = [*([NOTE] if joined else []), *(line.encode() for line in lines)]
    return b"\n".join([begin(stack), *inside, end(stack)]) + b"\n"


def _joined(block: bytes) -> bool:
    return NOTE in block.splitlines()


def save(path: Path, content: bytes) -> None:
    """Write beside the file and put it in its place at once, with the same mode and owner. Links are followed."""
    real = path.resolve()
    fresh = real.with_name(f".{real.name}.stacklab-{secrets.token_hex(4)}")
    try:
        fresh.touch(mode=0o600)
        fresh.write_bytes(content)
        if real.exists():
            shutil.copymode(real, fresh)
            seen = real.stat()
            if (seen.st_uid, seen.st_gid) != (os.geteuid(), os.getegid()):
                os.chown(fresh, seen.st_uid, seen.st_gid)
        else:
            fresh.chmod(0o644)
        fresh.replace(real)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise StacklabError(
            f"cannot be written: {error.strerror}", where=str(path), hint="sudo may be needed, or --file"
        ) from None


def _find(content: bytes, stack: str) -> tuple[int, int] | None:
    """Where the block begins and ends; an error when its markers are not one pair in order."""
    starts: list[int] = []
    stops: list[int] = []
    place = 0
    for line in content.splitlines(keepends=True):
        place += len(line)
        if line.rstrip() == begin(stack):
            starts.append(place - len(line))
        elif line.rstrip() == end(stack):
            stops.append(place)
    if not starts and not stops:
        return None
    if len(starts) != 1 or len(stops) != 1 or starts[0] >= stops[0]:
        raise StacklabError(
            f"the markers of the block of stack {stack} are broken: {len(starts)} begin, {len(stops)} end",
            hint=f"mend by hand the lines '{begin(stack).decode()}' and '{end(stack).decode()}'",
        )
    return starts[0], stops[0]
