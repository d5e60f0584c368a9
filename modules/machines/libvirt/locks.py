"""Labs of one checkout begin and end side by side; what they share is made and removed by one of them at a time."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator

from modules.base import paths


@contextlib.contextmanager
def alone(name: str) -> Iterator[None]:
    """No other command of this checkout is in a block of that name meanwhile."""
    lock = paths.work() / "locks" / name
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
