"""Small pieces of probes that several steps need, and what they print. Scripts and parsers, pure."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from modules.artifacts.machine.texts import Limits

# A container shares its host's kernel, swap and time: those are not ours to change.
CONTAINER = """\
if [ -e /run/.containerenv ] || [ -e /.dockerenv ] ||
    tr '\\0' '\\n' </proc/1/environ 2>/dev/null | grep -q '^container='; then echo container; fi
"""
FAMILY = "if command -v apt-get >/dev/null; then echo debian; elif command -v dnf >/dev/null; then echo redhat; fi\n"
LIMITS = """\
[ "$(stat -fc %T /sys/fs/cgroup 2>/dev/null)" = cgroup2fs ] || echo cgroup_v1
(echo -1 >/proc/self/oom_score_adj) 2>/dev/null || echo no_oom_adjust
"""


def limits(words: Iterable[str]) -> Limits:
    """What LIMITS printed."""
    found = set(words)
    return Limits(cgroup_v1="cgroup_v1" in found, no_oom_adjust="no_oom_adjust" in found)


@dataclass(frozen=True)
class Seen:
    """A file on a machine; size -1: it is not there."""

    size: int
    mode: int
    digest: str = ""


def sizes(paths: Iterable[str]) -> str:
    """A script that prints size and mode of files; links are followed."""
    names = " ".join(shlex.quote(path) for path in paths)
    return f"stat -L -c 'file %s %a %n' {names} 2>/dev/null || true\n" if names else ""


def digests(paths: Iterable[str]) -> str:
    """A script that prints the SHA-256 of files besides; for small ones."""
    listed = list(paths)
    names = " ".join(shlex.quote(path) for path in listed)
    return f"{sizes(listed)}sha256sum {names} 2>/dev/null | sed 's/^/digest /' || true\n" if names else ""


def files(printed: str) -> Mapping[str, Seen]:
    """What the two scripts printed, by path."""
    found: dict[str, Seen] = {}
    for line in printed.splitlines():
        word, _, rest = line.partition(" ")
        if word == "file":
            size, mode, path = rest.split(" ", 2)
            found[path] = Seen(int(size), int(mode, 8))
        elif word == "digest":
            digest, path = rest.split("  ", 1)
            if path in found:
                found[path] = Seen(found[path].size, found[path].mode, digest)
    return found


def differs(text: str, seen: Seen | None) -> bool:
    """Whether a file does not hold this text."""
    return seen is None or seen.digest != hashlib.sha256(text.encode()).hexdigest()
