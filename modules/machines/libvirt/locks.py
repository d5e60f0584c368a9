"""Labs of one checkout begin and end side by side; what they share is made and removed by one of them at a time."""

from __future__ import annotations

from contextlib import AbstractContextManager

from modules.base import locks, paths


def alone(name: str) -> AbstractContextManager[None]:
    """No other command of this checkout is in a block of that name meanwhile."""
    return locks.alone(paths.work() / "locks" / name)
