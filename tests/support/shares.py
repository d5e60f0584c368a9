"""What the students of a class take of the lab that they share: measured before they come and when they are there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modules import artifacts
from modules.classroom import measure
from modules.host import engine
from tests.support.labs import Lab


@dataclass(frozen=True)
class Taken:
    """Bytes of memory: of the lab's machines, with all that runs in them; of pods in namespaces of the class.

    cpu: seconds that the machines have used so far.
    """

    machines: float
    students_pods: float
    cpu: float

    @property
    def without_apps(self) -> float:
        return self.machines - self.students_pods


def look(shared: Lab, class_name: str) -> Taken:
    """Now."""
    outputs, chosen = shared.outputs(), engine.choose()
    machines, pods = measure.look(outputs, chosen, artifacts.binary("kubectl"), window=1)
    cpu = sum(measure._cpu(measure._container(chosen, machine.name)) for machine in machines)
    own = [pod.memory for pod in pods if pod.namespace.startswith(f"{class_name}-")]
    return Taken(sum(machine.memory for machine in machines), sum(own), cpu)


def programs(shared: Lab) -> dict[int, str]:
    """Processes of this project; those of the lab that it has are among them. A class that is up needs no others."""
    mark = f"STACKLAB_PROJECT={shared.project.folder}".encode()
    found = {}
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    command = (process / "cmdline").read_text(errors="replace")
                    found[int(process.name)] = command.replace("\0", " ")
            except OSError:  # it has ended meanwhile
                continue
    return found
