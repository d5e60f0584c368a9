"""Which end-to-end tests run beside which: a lab leaves half of the machine idle, so two of them share it.

The kernel gives a user 128 inotify instances, also when each machine is a container. A control plane takes 27 of them,
a worker 16: two small labs fit. Beside a `large` one only what is `light` does, which has no such machines. Emulated
machines want both cores: they are `alone`.
"""

from __future__ import annotations

import fcntl
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TextIO

from xdist.scheduler import LoadScopeScheduling

END_TO_END = ("tests", "e2e")
PROCESSORS, INSTANCES = "processors", "instances"
ROOM: Mapping[str, Mapping[str, int]] = {
    "": {PROCESSORS: fcntl.LOCK_SH, INSTANCES: fcntl.LOCK_SH},
    "light": {PROCESSORS: fcntl.LOCK_SH},
    "large": {PROCESSORS: fcntl.LOCK_SH, INSTANCES: fcntl.LOCK_EX},
    "alone": {PROCESSORS: fcntl.LOCK_EX},
}
# The order of groups: what is light comes beside what is large, and nothing waits behind what is alone.
MARKS = ("", "large", "light", "alone")


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

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: list[TextIO] = []

    def take(self, mark: str = "") -> None:
        """Wait until the others leave room for one with this mark; a turn that is held already is kept."""
        if self._held:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        # Always in this order, and nothing is held while a group ends and the next begins: no two wait for each other.
        for name, mode in ROOM[mark].items():
            file = (self._folder / f"{name}.lock").open("w")
            self._held.append(file)
            fcntl.flock(file, mode)

    def leave(self) -> None:
        while self._held:
            self._held.pop().close()
