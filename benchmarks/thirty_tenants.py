"""Thirty students in namespaces of one lab that runs already: `python -m benchmarks.thirty_tenants`.

Prints the seconds to made and to verified, the CPU that this took, and the memory that each student takes of the lab
besides the app's pod; then, for the table of footprints, what our own programs hold while there is nothing to do.
"""

from __future__ import annotations

import resource
import time

from benchmarks import processes, results
from tests.support import classes, shares
from tests.support.labs import Lab
from tests.support.project import CHECKOUT, Project

CLASS = "thirty"
STUDENTS = tuple(f"s{n:02}" for n in range(1, 31))
MIB = 1024**2


def main() -> None:
    project = Project.make(CHECKOUT / ".stacklab" / "bench")
    shared = Lab.of(project, classes.SHARED, classes.LAB)
    figures: dict[str, float] = {}
    try:
        shared.up().ok()
        classes.write(project, CLASS, STUDENTS)
        before, running = shares.look(shared, CLASS), shares.programs(shared)
        cpu = _cpu()
        figures["up"] = _timed(project, "up")
        figures["verify"] = _timed(project, "verify")
        figures["verified"] = figures["up"] + figures["verify"]
        figures["CPU of our programs"] = _cpu() - cpu
        after = shares.look(shared, CLASS)
        figures["CPU of the lab"] = after.cpu - before.cpu
        figures["MiB a student"] = (after.without_apps - before.without_apps) / len(STUDENTS) / MIB
        figures["MiB a student with the app"] = (after.machines - before.machines) / len(STUDENTS) / MIB
        figures["programs left running"] = len(shares.programs(shared).keys() - running.keys())
        again = processes.measure(["stacklab", "class", "up", CLASS], cwd=project.folder, env=project.env)
        assert again.code == 0, again.output
        figures["up again"] = again.seconds
        figures["MiB of our programs meanwhile"] = again.peak / MIB
        figures["down"] = _timed(project, "down")
    finally:
        project.run("stacklab", "class", "down", CLASS, timeout=600)
        shared.remove()
    for name, figure in figures.items():
        print(f"{name:32} {figure:8.1f}")
    results.save("thirty_tenants", figures)


def _cpu() -> float:
    """Seconds that programs which have ended used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _timed(project: Project, verb: str) -> float:
    started = time.monotonic()
    project.run("stacklab", "class", verb, CLASS, timeout=600).ok()
    return time.monotonic() - started


if __name__ == "__main__":
    main()
