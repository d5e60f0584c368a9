"""One run of a lab at a time: a program that outlived the run that started it keeps the lab's lock until it ends."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from modules.base import probe


@contextlib.contextmanager
def nobody_else_at_work(lock: Path, where: str, *, timeout: float) -> Iterator[None]:
    """Wait until the lock is free, and hold it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as handle:

        def look() -> probe.Answer[bool]:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return probe.Answer(None, "what an earlier run started is still at work")
            return probe.Answer(True)

        probe.wait_for("the lab is free", look, timeout=timeout, where=where, hint=f"fuser -v {lock}")
        yield
