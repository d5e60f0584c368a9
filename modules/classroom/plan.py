"""The plan of a class: every student with stack, network and host, and what each host has to bear. Pure.

(class, what is remembered, what hosts have, the table of footprints) -> ClassPlan. Nothing is made by it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from modules.classroom import footprint, labs, placement, record, slots
from modules.classroom.footprint import Need, Table
from modules.classroom.model import ClassSpec, Student
from modules.classroom.parse import Class
from modules.classroom.placement import Placement, Room
from modules.classroom.record import Record
from modules.topology.address import count

PODS_A_NODE = 110  # kubelet's own limit
SYSTEM_PODS = 10  # of those, taken by the lab itself


@dataclass(frozen=True)
class Seat:
    """One student in the plan; `host` is "" for one whose lab fits nowhere, for the reasons in `lacks`."""

    student: Student
    stack: str
    network: IPv4Network | None
    host: str
    need: Need
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class HostLoad:
    """A host: what it has for this class, how many labs are on it, what they take, how many are made at a time."""

    name: str
    has: Need
    labs: int
    takes: Need
    parallel: int


@dataclass(frozen=True)
class ClassPlan:
    """Everything that `class plan` shows, and `class up` makes."""

    name: str
    tenancy: str
    seats: tuple[Seat, ...]
    hosts: tuple[HostLoad, ...]
    gone: tuple[str, ...]  # no longer in the roster, and their labs stand
    moved: tuple[str, ...]
    overfull: tuple[str, ...]
    ways_out: tuple[str, ...]
    together: int

    @property
    def fit(self) -> tuple[Seat, ...]:
        return tuple(seat for seat in self.seats if seat.host)

    @property
    def left(self) -> tuple[Seat, ...]:
        return tuple(seat for seat in self.seats if not seat.host)


@dataclass(frozen=True)
class Surroundings:
    """What the class meets: hosts, networks that others have, students' labs that stand."""

    rooms: tuple[Room, ...]
    parallel: Mapping[str, int]
    together: int = 10**6  # the programs that make labs all run on this machine
    taken: tuple[IPv4Network, ...] = ()
    standing: frozenset[str] = frozenset()


def needs(made: Class, table: Table) -> Mapping[str, Need]:
    """What each student takes; those with the same lab share the object."""
    of = footprint.of_lab if made.spec.tenancy == "cluster" else footprint.of_share
    kinds = {id(kind): kind for kind in (made.usual, *made.labs.values())}
    found = {which: of(kind.spec, table) for which, kind in kinds.items()}
    return {student.id: found[id(made.lab(student.id))] for student in made.spec.students}


def plan(made: Class, remembered: Record, around: Surroundings, table: Table) -> ClassPlan:
    """The plan; students without a network or a host are in it, with the reason."""
    spec = made.spec
    places = _slots(spec, remembered, around)
    every = needs(made, table)
    seated = {one: need for one, need in every.items() if one not in places.without}
    placed = placement.place(seated, around.rooms, remembered.hosts)
    seats = tuple(_seat(made, student, places.of, every[student.id], placed) for student in spec.students)
    loads = placement.used(seated, placed)
    hosts = tuple(
        HostLoad(room.name, room.has, *loads[room.name], around.parallel.get(room.name, 1)) for room in around.rooms
    )
    ids = set(every)
    return ClassPlan(
        name=made.name,
        tenancy=spec.tenancy,
        seats=seats,
        hosts=hosts,
        gone=tuple(sorted(one for one in around.standing if one not in ids)),
        moved=placed.moved,
        overfull=placed.overfull,
        ways_out=tuple(_ways_out(made, seats, placed, around, table)),
        together=around.together,
    )


def to_remember(found: ClassPlan, remembered: Record, made: Class, only: Collection[str] = ()) -> Record:
    """What is remembered once the labs of the plan are made (or those of `only`): places for all, hosts for these."""
    addresses = made.spec.addresses
    size = 2 ** (32 - addresses.each)
    slots_now = {
        seat.student.id: (int(seat.network.network_address) - int(addresses.range.network_address)) // size
        for seat in found.seats
        if seat.network is not None
    }
    hosts_now = {seat.student.id: seat.host for seat in found.fit if not only or seat.student.id in only}
    return Record({**remembered.slots, **slots_now}, {**remembered.hosts, **hosts_now}, addresses)


def _slots(spec: ClassSpec, remembered: Record, around: Surroundings) -> slots.Slots:
    ids = [student.id for student in spec.students]
    if spec.tenancy == "namespace":
        return slots.Slots({}, ())
    avoid = record.avoided(spec.addresses, around.taken)
    return slots.assign(ids, remembered.slots, labs.room(spec.addresses), avoid=avoid, standing=around.standing)


def _seat(made: Class, student: Student, places: Mapping[str, int], need: Need, placed: Placement) -> Seat:
    slot = places.get(student.id)
    network = None if slot is None else labs.network_of(made.spec.addresses, slot)
    host = placed.where.get(student.id, "")
    lacks: tuple[str, ...] = ()
    if not host:
        no_network = made.spec.tenancy == "cluster" and network is None
        lacks = ("addresses",) if no_network else placement.lacking(need, placed)
    return Seat(student, labs.stack_name(made.name, student.id), network, host, need, lacks)


def _ways_out(
    made: Class, seats: Sequence[Seat], placed: Placement, around: Surroundings, table: Table
) -> Iterable[str]:
    """What would make room, each tried before it is said."""
    left = [seat for seat in seats if not seat.host]
    if not left:
        return
    lacks = {name for seat in left for name in seat.lacks}
    count_left = len(left)
    every = footprint.total(seat.need for seat in left)
    # With several hosts what is left of each is too little for one lab, and of no use.
    spare = next(iter(placed.free.values())) if len(placed.free) == 1 else Need()
    where = "in a host, or another host under hosts"
    if "addresses" in lacks:
        yield f"a wider addresses.range, or addresses.each: 26: {count_left} more networks are needed"
    if "memory" in lacks:
        yield f"{size(every.memory - spare.memory)} more memory: {where}"
    if "cpu" in lacks:
        cores = -(-(every.cpu - spare.cpu) // 1000)
        yield f"{cores:.0f} more {'core' if cores == 1 else 'cores'}: {where}"
    if "disk" in lacks:
        yield f"{size(every.disk - spare.disk)} more disk: {where}"
    if "inotify" in lacks:
        missing = every.inotify - spare.inotify
        yield f"a higher fs.inotify.max_user_instances: {missing:.0f} more instances are needed (sysctl, as root)"
    if "number" in lacks and made.spec.tenancy == "namespace":
        yield "another machine in the shared lab: each runs 110 pods at most"
    smaller = _without_workers(made, table)
    if smaller and not placement.place(smaller, around.rooms, {}).left:
        each = max(smaller.values()).memory
        yield f"workers: 0 in the template: a lab takes {size(each)} then, and all fit"
    if made.spec.tenancy == "cluster" and made.usual.spec.backend != "ssh":
        inside = {student.id: footprint.of_share(made.lab(student.id).spec, table) for student in made.spec.students}
        inside["/the lab that they share"] = footprint.of_lab(made.usual.spec, table)
        if not placement.place(inside, around.rooms, {}).left:
            each = max(need.memory for one, need in inside.items() if not one.startswith("/"))
            yield f"tenancy: namespace: a student takes {size(each)} of one shared lab then, and all fit"
    fit = len(seats) - count_left
    if fit:
        groups = -(-len(seats) // fit)
        yield f"{groups} groups, one after the other, of {fit} at most"


def _without_workers(made: Class, table: Table) -> Mapping[str, Need]:
    """What labs would take without their workers, where they have any."""
    if made.spec.tenancy != "cluster" or not count(made.usual.spec.workers):
        return {}
    small = made.usual.spec.model_copy(update={"workers": 0})
    need = footprint.of_lab(small, table)
    return {student.id: need for student in made.spec.students}


def size(number: float) -> str:
    """1.3 GiB, 713 MiB."""
    return f"{number / 1024**3:.1f} GiB" if number >= 1024**3 else f"{number / 1024**2:.0f} MiB"


def most_tenants(shared_machines: int, pods: int) -> int:
    """How many students' pods a shared lab runs."""
    return (PODS_A_NODE * shared_machines - SYSTEM_PODS) // max(pods, 1)
