"""What the students of a class take of the lab that they share: measured before they come and when they are there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from modules import artifacts
from modules.classroom import measure
from modules.host import engine
from tests.support.labs import Lab


@dataclass(frozen=True)
class Taken:
    """Bytes of memory: of the lab's machines, with all that runs in them; of pods in namespaces of classes."""

    machines: float
    students_pods: float

    @property
    def without_apps(self) -> float:
        return self.machines - self.students_pods


def look(shared: Lab, class_name: str) -> Taken:
    """Now."""
    machines, pods = measure.look(shared.outputs(), engine.choose(), artifacts.binary("kubectl"), window=1)
    own = [pod.memory for pod in pods if pod.namespace.startswith(f"{class_name}-")]
    return Taken(sum(machine.memory for machine in machines), sum(own))


def left_running(shared: Lab) -> list[str]:
    """Processes of this project that have not ended: a class that is up needs none."""
    mark = f"STACKLAB_PROJECT={shared.project.folder}".encode()
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and int(process.name) != os.getpid():
            try:
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    found.append((process / "cmdline").read_text(errors="replace").replace("\0", " "))
            except OSError:  # it has ended meanwhile
                continue
    return found
