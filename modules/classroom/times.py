"""How long is it going to take? From what the same kind of lab took before, phase by phase; else nothing is said.

`.stacklab/classes/times.json` keeps the last runs of each kind of lab. Pure but for load and add.
"""

from __future__ import annotations

import heapq
import json
import os
import secrets
import statistics
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules.base import paths
from modules.topology.address import count
from modules.topology.model import LabSpec

KEPT = 20
_LOCK = threading.Lock()
Phases = Mapping[str, float]


@dataclass(frozen=True)
class Run:
    """One lab that was made: seconds of each phase, and how many were made at a time."""

    phases: Phases
    parallel: int


def shape(verb: str, spec: LabSpec) -> str:
    """What labs have in common that take equally long."""
    apps = sum(app.replicas for app in spec.apps)
    addons = ",".join(sorted(spec.addons))
    return f"{verb} {spec.backend} {count(spec.masters)}+{count(spec.workers)} {addons} {apps} pods"


def usual(runs: Sequence[Run], parallel: int) -> Phases:
    """The median of each phase; runs with as many at a time count, others only when there are none."""
    fitting = [run for run in runs if run.parallel == parallel] or list(runs)
    names = list(dict.fromkeys(name for run in fitting for name in run.phases))
    return {name: statistics.median(run.phases.get(name, 0.0) for run in fitting) for name in names}


def left(expected: Phases, phase: str, spent: float) -> float | None:
    """Seconds until the lab is made; None when it is not known. A phase that takes longer than usual counts as over."""
    if phase not in expected:
        return None
    names = list(expected)
    return max(expected[phase] - spent, 0.0) + sum(expected[name] for name in names[names.index(phase) + 1 :])


def all_left(running: Iterable[float | None], waiting: Iterable[float | None], slots: int) -> float | None:
    """Seconds until everybody's lab is made, with so many at a time; None when one of them is not known."""
    ends: list[float] = []
    for seconds in running:
        if seconds is None:
            return None
        ends.append(seconds)
    heapq.heapify(ends)
    last = max(ends, default=0.0)
    for seconds in waiting:
        if seconds is None:
            return None
        begins = heapq.heappop(ends) if len(ends) >= max(slots, 1) else 0.0
        heapq.heappush(ends, begins + seconds)
        last = max(last, begins + seconds)
    return last


def load(kind: str) -> list[Run]:
    """The last runs of this kind of lab."""
    return [Run(entry["phases"], entry["parallel"]) for entry in _all().get(kind, [])]


def add(kind: str, run: Run) -> None:
    """Remember one more."""
    with _LOCK:
        every = _all()
        phases = {name: round(seconds, 1) for name, seconds in run.phases.items()}
        every[kind] = [*every.get(kind, []), {"phases": phases, "parallel": run.parallel}][-KEPT:]
        path = _file()
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        fresh.write_text(json.dumps(every, indent=1, sort_keys=True))
        fresh.replace(path)


def _all() -> dict[str, list[dict[str, Any]]]:
    try:
        found: dict[str, list[dict[str, Any]]] = json.loads(_file().read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found


def _file() -> Path:
    return paths.work() / "classes" / "times.json"
