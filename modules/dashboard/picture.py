"""A snapshot as HTML: the parts of the page, and the page around them. Pure; templates/ holds the words.

Each part is one element of the page, so that the server sends only what changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from modules.dashboard.model import Figure, Machine, Pod, Snapshot, Tone
from modules.dashboard.quantity import cores, millicores, size
from modules.pages.frame import templates

PARTS = ("state", "ways", "machines", "events")
COLOURS = 6
KINDS = {"clusterip": "ClusterIP", "nodeport": "NodePort", "loadbalancer": "LoadBalancer", "ingress": "Ingress"}

_templates = templates("modules.dashboard")


@dataclass(frozen=True)
class Box:
    """A machine as a card: what runs on it besides what it is. Without a machine: pods that have no place yet."""

    machine: Machine | None
    pods: Sequence[Pod]

    @property
    def own(self) -> int:
        return sum(1 for pod in self.pods if pod.app)

    @property
    def system(self) -> int:
        return len(self.pods) - self.own


def page(stack: str, parts: Mapping[str, str]) -> str:
    """The whole page around the newest parts; a part that is not there yet is empty."""
    ready = {name: Markup(parts.get(name, "")) for name in PARTS}  # noqa: S704 - made below, escaped there
    return _templates.get_template("page.html").render(
        title=f"{stack} · stacklab", stack=stack, command=f"stacklab dashboard {stack}", parts=ready, styles=STYLES
    )


STYLES = ("dashboard.css",)


def parts(snapshot: Snapshot) -> dict[str, str]:
    """Every part, by its name."""
    apps = sorted({pod.app for pod in snapshot.cluster.pods if pod.app} | {reach.app for reach in snapshot.reaches})
    things = {
        "snapshot": snapshot,
        "boxes": boxes(snapshot),
        "colour": {app: place % COLOURS for place, app in enumerate(apps)},
        "health": health(snapshot),
        "kinds": KINDS,
        "used": used,
        "figure": figure,
        "millicores": millicores,
        "size": size,
        "ago": lambda when: ago(when, snapshot.at),
    }
    return {name: _templates.get_template(f"{name}.html").render(things) for name in PARTS}


def boxes(snapshot: Snapshot) -> list[Box]:
    """A card for each machine, and one for pods that are on none of them."""
    machines = snapshot.cluster.machines
    named = {machine.name for machine in machines}
    pods = snapshot.cluster.pods
    found = [Box(machine, [pod for pod in pods if pod.node == machine.name]) for machine in machines]
    lost = [pod for pod in pods if pod.node not in named]
    return [*found, Box(None, lost)] if lost else found


def health(snapshot: Snapshot) -> tuple[Tone, str]:
    """How the lab is in a few words."""
    if snapshot.away:
        return "wait", "away"
    cluster = snapshot.cluster
    machines = [m for m in cluster.machines if m.tone != "good"]
    pods = [p for p in cluster.pods if p.tone in ("wait", "bad")]
    ways = [r for r in snapshot.reaches if r.ok is False]
    wrong = [
        f"{len(found)} {one if len(found) == 1 else many} not well"
        for found, one, many in ((machines, "machine", "machines"), (pods, "pod", "pods"), (ways, "way in", "ways in"))
        if found
    ]
    if not wrong:
        return "good", "all well"
    severe = ways or "bad" in {*(m.tone for m in machines), *(p.tone for p in pods)}
    return ("bad" if severe else "wait"), ", ".join(wrong)


def used(value: Figure) -> int | None:
    """How full, in percent."""
    if value.used is None or not value.room:
        return None
    return round(100 * value.used / value.room)


def figure(value: Figure, unit: str) -> str:
    """0.2 of 2 cores, 312 MiB of 1.9 GiB."""
    show = cores if unit == "cores" else size
    if value.used is None:
        return "not measured"
    words = f"{show(value.used)} of {show(value.room)}" if value.room else show(value.used)
    return f"{words} cores" if unit == "cores" else words


def ago(when: datetime | None, now: datetime) -> str:
    """In steps that are coarse enough to read, and to leave a quiet page as it is."""
    if when is None:
        return ""
    seconds = max(0, int((now - when).total_seconds()))
    if seconds < 60:
        return "just now"
    minutes = seconds // 60
    return f"{minutes} min ago" if minutes < 90 else f"{round(minutes / 60)} h ago"
