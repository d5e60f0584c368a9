"""Control groups that a container left behind: its programs ended without its engine, whose removal then misses them.

Seen where everything was killed at once, conmon too.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
WHOLE = re.compile(r"[0-9a-f]{64}")  # less of an id, or none at all, would be found in others' names
DEPTH = 4  # controller (version 1 only), slice, parent, container


def remove(ids: Collection[str], root: Path = ROOT) -> None:
    """Remove the groups of containers that are gone, by their whole ids; one with a program in it stays."""
    for group in left(ids, root):
        for folder, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()


def left(ids: Collection[str], root: Path = ROOT) -> Iterator[Path]:
    """The outermost folder of each group whose name holds one of the whole ids."""
    ids = [one for one in ids if WHOLE.fullmatch(one)]
    for folder, inner, _ in os.walk(root):
        ours = [name for name in inner if any(one in name for one in ids)]
        yield from (Path(folder) / name for name in ours)
        depth = len(Path(folder).relative_to(root).parts)
        inner[:] = [name for name in inner if name not in ours] if depth < DEPTH else []
