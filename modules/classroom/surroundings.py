"""What a class meets on its hosts: what they have for labs, which networks are taken, which labs stand already."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from ipaddress import IPv4Network
from pathlib import Path

from modules.base import paths
from modules.base.errors import StacklabError
from modules.classroom import footprint, labs, record
from modules.classroom.footprint import Need, Table
from modules.classroom.model import ClassSpec, Host
from modules.classroom.parse import Class
from modules.classroom.placement import Room
from modules.classroom.plan import Surroundings, most_tenants, needs
from modules.classroom.record import Record
from modules.host import facts, network
from modules.host.facts import HostFacts
from modules.local.kind.capacity import inotify_used


def look(made: Class, remembered: Record, table: Table, shared_machines: int = 0) -> Surroundings:
    """Read this host, and put together what is told of the others."""
    standing = standing_labs(made, remembered)
    here = facts.read()
    used = inotify_used()
    every = needs(made, table)
    rooms = []
    for host in made.spec.hosts:
        there = [
            every[one]
            for one in standing
            if one in every and remembered.hosts.get(one, made.spec.hosts[0].name) == host.name
        ]
        rooms.append(room(host, made, here, used, footprint.total(there), shared_machines))
    parallel = {host.name: at_a_time(host, made.spec, here, table) for host in made.spec.hosts}
    return Surroundings(tuple(rooms), parallel, together(made.spec, here, table), tuple(_taken(made.file)), standing)


def room(host: Host, made: Class, here: HostFacts, inotify: int, standing: Need, shared_machines: int) -> Room:
    """What a host has for this class. Pure. What the class's own labs take now is theirs."""
    limits, backend = made.spec.limits, made.usual.spec.backend
    virtual = backend == "libvirt" and made.spec.tenancy == "cluster"
    local = host.uri == "local"
    memory = here.free_memory + standing.memory if host.memory is None and local else host.memory or 0
    cpus = here.cores if host.cpus is None and local else host.cpus or 0
    disk = here.free_disk + standing.disk if host.disk is None and local else host.disk or 0
    instances = here.inotify_instances
    counted = local and not virtual and instances > 0
    left = max(instances - inotify, 0) + standing.inotify if counted else footprint.UNLIMITED.inotify
    has = Need(max(memory - limits.reserve, 0), cpus * 1000 * (limits.overcommit if virtual else 1), disk, left)
    if made.spec.tenancy == "cluster":
        return Room(host.name, has)
    pods = sum(app.replicas for app in made.usual.spec.apps)
    return Room(host.name, has, most_tenants(shared_machines, pods) if shared_machines else None)


def at_a_time(host: Host, spec: ClassSpec, here: HostFacts, table: Table) -> int:
    """How many labs are made at a time on a host: as many as keep its cores busy, and its memory bears."""
    if spec.limits.parallel is not None:
        return spec.limits.parallel
    cores = here.cores if host.cpus is None else host.cpus
    return min(max(1, round(cores * 1000 / table.making(spec.tenancy).cpu)), together(spec, here, table))


def removed_at_a_time(spec: ClassSpec, here: HostFacts, table: Table) -> int:
    """How many are removed at a time: shares of a lab wait for their pods' time to end, and need no core for that."""
    made = at_a_time(spec.hosts[0], spec, here, table)
    if spec.tenancy == "cluster" or spec.limits.parallel is not None:
        return made
    return min(4 * made, together(spec, here, table))


def together(spec: ClassSpec, here: HostFacts, table: Table) -> int:
    """How many labs this machine's memory bears being made at a time, wherever they are: the programs run here."""
    return max(1, int((here.free_memory - spec.limits.reserve) / 2 / table.making(spec.tenancy).memory))


def standing_labs(made: Class, remembered: Record) -> frozenset[str]:
    """Students whose labs have files here: made, half made, or not quite removed."""
    ids: Collection[str] = {*remembered.slots, *remembered.hosts, *(student.id for student in made.spec.students)}
    return frozenset(one for one in ids if paths.lab(labs.stack_name(made.name, one)).exists())


def _taken(class_file: Path) -> Iterable[IPv4Network]:
    """Networks of the classes beside this one, and of this host's routes."""
    for other in record.others(class_file):
        yield from other.networks()
    try:
        routes = network.routes()
    except StacklabError:  # a host without `ip` makes no labs, and can plan
        return
    for route in routes:
        yield IPv4Network(route.range, strict=False)
