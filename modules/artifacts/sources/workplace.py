"""A folder for the unfinished download of one address: held by one thread or process at a time, gone when done."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Place:
    """`keep` set: the folder stays although all went well, for what comes next out of the same download."""

    folder: Path
    keep: bool = False


@contextlib.contextmanager
def workplace(root: Path, address: str) -> Iterator[Place]:
    """Wait for the folder of `address` below `root`, use it alone; after an error it stays, to go on with."""
    readable = re.sub(r"[^A-Za-z0-9._-]", "_", address.rpartition("/")[2])[:60]
    folder = root / f"{readable}-{hashlib.sha256(address.encode()).hexdigest()[:12]}"
    held = folder.with_name(folder.name + ".held")
    root.mkdir(parents=True, exist_ok=True)
    handle = _hold(held)
    try:
        folder.mkdir(exist_ok=True)
        place = Place(folder)
        yield place
        if not place.keep:
            shutil.rmtree(folder)
    finally:
        with contextlib.suppress(FileNotFoundError):
            held.unlink()
        os.close(handle)


def _hold(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        # The holder before us removed the file it held: then what we hold is not the file others will see.
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(handle).st_ino:
                return handle
        os.close(handle)
