"""The plan in words: the verdict in one sentence, and the rows of its tables. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any

from modules.classroom.plan import ClassPlan, HostLoad, Seat, size
from modules.topology.problem import listing

STUDENTS = ("student", "name", "stack", "network", "host", "takes")
HOSTS = ("host", "labs", "memory", "cpu", "disk", "inotify", "at a time")
NAMES = {
    "memory": "memory",
    "cpu": "CPU",
    "disk": "disk",
    "inotify": "inotify instances",
    "addresses": "addresses",
    "number": "the number of pods",
}


def verdict(plan: ClassPlan) -> list[str]:
    """Does it fit? And if not, why, and the ways out."""
    fit, left = len(plan.fit), plan.left
    lines = []
    if not left:
        lines.append(f"all {fit} fit" if fit != 1 else "1 student, and it fits")
    else:
        reasons = Counter(name for seat in left for name in seat.lacks)
        why = listing([NAMES[name] for name, _ in reasons.most_common()], "and")
        largest = max(left, key=lambda seat: seat.need)
        lines.append(f"{fit} fit, {len(left)} {'does' if len(left) == 1 else 'do'} not, because {why}")
        lines.append(f"  {_first_missing(plan, largest)}")
        ways = plan.ways_out
        number = {1: "one way", 2: "two ways", 3: "three ways", 4: "four ways"}.get(len(ways), f"{len(ways)} ways")
        lines += [f"  {number} out:", *(f"    - {way}" for way in ways)] if ways else []
    if plan.moved:
        lines.append(f"{_some(plan.moved)}: their host is no longer in the class; they are planned anew elsewhere")
    for name in plan.overfull:
        lines.append(f"{name}: the labs that are there already take more than it has")
    if plan.gone:
        names = ",".join(plan.gone)
        lines.append(
            f"{_some(plan.gone)}: no longer in the roster, and the lab stands: "
            f"stacklab class down {plan.name} --only {names}"
        )
    return lines


def student_rows(plan: ClassPlan) -> list[list[str]]:
    return [
        [
            seat.student.id,
            seat.student.name,
            seat.stack,
            str(seat.network or ""),
            seat.host or f"none: {listing([NAMES[name] for name in seat.lacks], 'and')}",
            size(seat.need.memory),
        ]
        for seat in plan.seats
    ]


def host_rows(plan: ClassPlan) -> list[list[str]]:
    return [
        [
            host.name,
            str(host.labs),
            _of(size(host.takes.memory), host.has.memory, size),
            _of(f"{host.takes.cpu / 1000:.1f}", host.has.cpu, lambda n: f"{n / 1000:.1f} cores"),
            _of(size(host.takes.disk), host.has.disk, size),
            _of(f"{host.takes.inotify:.0f}", host.has.inotify, lambda n: f"{n:.0f}"),
            str(host.parallel),
        ]
        for host in plan.hosts
    ]


def as_data(plan: ClassPlan) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "class": plan.name,
        "tenancy": plan.tenancy,
        "fits": not plan.left,
        "verdict": verdict(plan),
        "ways_out": list(plan.ways_out),
        "students": [
            {
                "id": seat.student.id,
                "name": seat.student.name,
                "group": seat.student.group,
                "stack": seat.stack,
                "network": str(seat.network) if seat.network else None,
                "host": seat.host or None,
                "lacks": list(seat.lacks),
                "needs": _amounts(seat.need),
            }
            for seat in plan.seats
        ],
        "hosts": [_host(host) for host in plan.hosts],
        "gone": list(plan.gone),
        "moved": list(plan.moved),
    }


def _host(host: HostLoad) -> dict[str, Any]:
    return {
        "name": host.name,
        "labs": host.labs,
        "takes": _amounts(host.takes),
        "has": _amounts(host.has),
        "parallel": host.parallel,
    }


def _amounts(need: Any) -> dict[str, int | None]:
    return {name: None if value == float("inf") else int(value) for name, value in need._asdict().items()}


def _of(taken: str, has: float, show: Any) -> str:
    return taken if has == float("inf") else f"{taken} of {show(has)}"


def _first_missing(plan: ClassPlan, seat: Seat) -> str:
    """One number that shows it, for the largest lab that found no place."""
    name = seat.lacks[0]
    if name == "addresses":
        return "there are more students than networks in addresses.range"
    if name == "number":
        return "the shared lab's machines run no more pods"
    shown: dict[str, Any] = {"memory": size, "disk": size, "cpu": lambda n: f"{n / 1000:.2f} cores"}
    show = shown.get(name, lambda n: f"{n:.0f}")
    most = max((getattr(h.has, name) - getattr(h.takes, name) for h in plan.hosts), default=0)
    return (
        f"{seat.student.id} needs {show(getattr(seat.need, name))}, and no host has more than {show(max(most, 0))} left"
    )


def _some(names: tuple[str, ...]) -> str:
    return listing(names[:5], "and") if len(names) <= 5 else f"{', '.join(names[:5])} and {len(names) - 5} more"
