"""A folder for one artifact's unfinished downloads: held by one thread or process at a time, gone when it succeeded."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def workplace(root: Path, name: str) -> Iterator[Path]:
    """Wait for the folder of `name` below `root`, use it alone; after an error it stays, to go on with."""
    folder = root / re.sub(r"[^A-Za-z0-9._@-]", "_", name)
    held = folder.with_name(folder.name + ".held")
    root.mkdir(parents=True, exist_ok=True)
    handle = _hold(held)
    try:
        folder.mkdir(exist_ok=True)
        yield folder
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
