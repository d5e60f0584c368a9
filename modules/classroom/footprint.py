"""What a lab takes of its host, from a table that is kept by measuring (footprints.yaml). Pure but for reading it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from modules.topology.address import count
from modules.topology.model import LabSpec

TABLE = Path(__file__).with_name("footprints.yaml")
MIB = 1024**2


class Need(NamedTuple):
    """Amounts of what a host has: bytes, thousandths of a core, bytes, instances."""

    memory: float = 0
    cpu: float = 0
    disk: float = 0
    inotify: float = 0

    def plus(self, other: Need) -> Need:
        return Need(*(a + b for a, b in zip(self, other, strict=True)))

    def times(self, factor: float) -> Need:
        return Need(*(a * factor for a in self))

    def fits(self, room: Need) -> bool:
        return self[0] <= room[0] and self[1] <= room[1] and self[2] <= room[2] and self[3] <= room[3]

    def lacking(self, room: Need) -> tuple[str, ...]:
        """What there is too little of."""
        return tuple(name for name, wanted, there in zip(self._fields, self, room, strict=True) if wanted > there)


HEAD = """\
# What labs take of their host, as `stacklab class measure <stack> --write` measured it in running ones. Sizes in MiB,
# CPU in thousandths of a core when idle. machines: one machine without addons and apps; sizes: and what the stack file
# gives it; emulated: its memory with acceleration: tcg. addons: a lab's part, and what every machine adds. pod: one pod
# of an app. share: one student of a lab that all share, besides the pods. making, sharing: beside the lab, while `up`
# makes one, or one student's share of one. unknown: an addon that was never measured.
"""
UNLIMITED = Need(*[math.inf] * len(Need._fields))


@dataclass(frozen=True)
class Table:
    """footprints.yaml as data."""

    figures: Mapping[str, Any]

    def making(self, tenancy: str) -> Need:
        """What `up` takes beside the lab that it makes, or the share of one."""
        return _need(self.figures["making" if tenancy == "cluster" else "sharing"])

    def machine(self, backend: str, role: str) -> Mapping[str, Any]:
        machines = self.figures["machines"]
        found: Mapping[str, Any] = machines.get(backend, machines["kind"])[role]
        return found

    def addon(self, name: str, part: str) -> Need:
        addons = self.figures["addons"]
        if name in addons:
            return _need(addons[name].get(part, {}))
        return _need(self.figures["unknown"]) if part == "lab" else Need()


@cache
def table() -> Table:
    """The table that comes with this version."""
    return Table(yaml.safe_load(TABLE.read_text(encoding="utf-8")))


def text(figures: Mapping[str, Any]) -> str:
    """The table as its file has it."""
    order = ("machines", "addons", "pod", "share", "making", "sharing", "unknown", "measured")
    return HEAD + yaml.safe_dump(
        {key: figures[key] for key in order}, sort_keys=False, default_flow_style=None, width=120
    )


def of_lab(spec: LabSpec, known: Table) -> Need:
    """A whole lab of its own: machines, addons, apps."""
    total = Need()
    for role, machines in (("master", spec.masters), ("worker", spec.workers)):
        row = known.machine(spec.backend, role)
        sizes = _sizes(spec, machines) if row.get("sizes") else Need()
        if spec.backend == "libvirt" and spec.libvirt.acceleration == "tcg":
            row = {**row, "memory": row["emulated"]}
        total = total.plus(_need(row).times(count(machines))).plus(sizes)
    if known.machine(spec.backend, "master").get("sizes"):
        return total  # what runs inside shares the machines' own memory
    machine_count = count(spec.masters) + count(spec.workers)
    for name in spec.addons:
        total = total.plus(known.addon(name, "lab")).plus(known.addon(name, "machine").times(machine_count))
    return total.plus(of_apps(spec, known))


def of_share(spec: LabSpec, known: Table) -> Need:
    """What a student takes of a lab that all share: objects, and the apps' pods."""
    return of_apps(spec, known).plus(_need(known.figures["share"]))


def of_apps(spec: LabSpec, known: Table) -> Need:
    """The pods of the apps alone."""
    machine_count = count(spec.masters) + count(spec.workers)
    pods = (machine_count if app.workload == "daemonset" else app.replicas for app in spec.apps)
    return _need(known.figures["pod"]).times(sum(pods))


def _sizes(spec: LabSpec, machines: Any) -> Need:
    """What the stack file gives the machines."""
    if isinstance(machines, int):
        size = spec.machine
        return Need(size.memory, size.cpus * 1000, size.disk).times(machines)
    return total(
        Need(m.memory or spec.machine.memory, (m.cpus or spec.machine.cpus) * 1000, m.disk or spec.machine.disk)
        for m in machines
    )


def total(needs: Iterable[Need]) -> Need:
    """All of them together."""
    found = Need()
    for one in needs:
        found = found.plus(one)
    return found


def _need(row: Mapping[str, Any]) -> Need:
    return Need(
        float(row.get("memory", 0)) * MIB,
        float(row.get("cpu", 0)),
        float(row.get("disk", 0)) * MIB,
        float(row.get("inotify", 0)),
    )
