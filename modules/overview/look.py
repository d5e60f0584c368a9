"""How a student's lab is, from one look at its API; with one lab for all, from that student's namespace. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from modules.dashboard import picture, read
from modules.dashboard.model import Cluster, Figure, Snapshot
from modules.dashboard.read import Answers
from modules.overview.model import Health, Way
from modules.verify.lab import Lab, Machine

_NEVER = datetime.min


def cluster(stack: str, outputs: Mapping[str, Any], answers: Answers) -> Cluster:
    """What the dashboard of this lab would show of machines and pods."""
    machines = tuple(Machine(m["name"], m["role"], m["address"]) for m in outputs.get("machines") or ())
    return read.cluster(Lab(stack, Path(), machines, (), (), frozenset()), answers)


def of_lab(stack: str, outputs: Mapping[str, Any], answers: Answers) -> Health:
    """A lab of the student's own: figures are those of its machines."""
    seen = cluster(stack, outputs, answers)
    return _health(
        stack,
        seen,
        _total(machine.cpu for machine in seen.machines),
        _total(machine.memory for machine in seen.machines),
    )


def of_share(stack: str, answers: Answers) -> Health:
    """A namespace in a lab for all: figures are those of its pods."""
    everybody = cluster(stack, {}, answers)
    pods = tuple(pod for pod in everybody.pods if pod.namespace == stack)
    mine = replace(everybody, machines=(), pods=pods)
    return _health(stack, mine, _total(Figure(pod.cpu) for pod in pods), _total(Figure(pod.memory) for pod in pods))


def ways(outputs: Mapping[str, Any]) -> tuple[Way, ...]:
    """Those with an address for a browser; a ClusterIP is reached by a command."""
    return tuple(
        Way(f"{e['app']} {e['kind']}", str(e["url"]))
        for e in outputs.get("exposures") or ()
        if str(e.get("url", "")).startswith(("http://", "https://"))
    )


def _health(stack: str, seen: Cluster, cpu: Figure, memory: Figure) -> Health:
    tone, words = picture.health(Snapshot(stack, "", _NEVER, seen))
    return Health(tone, words, cpu, memory, len(seen.pods))


def _total(figures: Iterable[Figure]) -> Figure:
    """Nothing measured is None, not 0."""
    found = list(figures)
    used, room = ([v for v in values if v is not None] for values in ((f.used for f in found), (f.room for f in found)))
    return Figure(sum(used) if used else None, sum(room) if room else None)
