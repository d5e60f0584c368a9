"""Which end-to-end tests run beside which: a lab leaves half of the machine idle, so two of them share it.

The kernel gives a user 128 inotify instances, also when each machine is a container. A control plane takes 27 of them,
a worker 16: two small labs fit, a large one stands alone, as emulated machines do, which want both cores.
"""

from __future__ import annotations

import fcntl
from pathlib import Path, PurePosixPath
from typing import TextIO

from xdist.scheduler import LoadScopeScheduling

END_TO_END = ("tests", "e2e")


def group(nodeid: str) -> str:
    """The tests that follow each other in one process: those of a file, or of a folder whose tests share a lab."""
    file = PurePosixPath(nodeid.partition("::")[0])
    return str(PurePosixPath(*file.parts[:3])) if file.parts[:2] == END_TO_END else str(file)


class Groups(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives each process one group after the other."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


class Turn:
    """This process's place among those that run tests: beside one other, or alone. It ends with the process."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._held: TextIO | None = None

    def take(self, *, alone: bool) -> None:
        """Wait until the others leave room; one that is held already is kept."""
        if self._held is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._held = self._file.open("w")
            fcntl.flock(self._held, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)

    def leave(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None
