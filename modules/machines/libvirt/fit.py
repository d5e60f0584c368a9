"""Do the machines of a lab fit on the host of its libvirt? Asked before anything is touched; starts no daemon."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import libvirt

from modules.base import paths
from modules.base.errors import HostError
from modules.host import facts
from modules.host.libvirt import mark, place
from modules.machines.libvirt import connection, daemon, names, pools
from modules.topology.plan import LabPlan
from modules.topology.values import format_size

MIB, GIB = 1024**2, 1024**3
EACH = 160 * MIB  # what qemu takes beside a machine's own memory
RESERVE = 512 * MIB  # for the host itself
THIN = 4 * GIB  # what a machine soon writes; its disk takes no more at first
BASE = 3 * GIB  # the image that all share


@dataclass(frozen=True)
class Room:
    """What is left there, in bytes (None: not known), and the machines that are there already: name -> memory."""

    memory: int | None
    disk: int | None
    there: Mapping[str, int]


def require(plan: LabPlan) -> None:
    """Raise HostError with everything that keeps the lab's machines from running there."""
    found = problems(plan, look(plan))
    if found:
        raise HostError(
            found[0] if len(found) == 1 else f"{len(found)} things keep this lab from running there",
            where=f"stack {plan.stack} on {plan.libvirt.uri}",
            output="\n".join(found) if len(found) > 1 else "",
            hint=f"change stacks/Pulumi.{plan.stack}.yaml, or free what is missing",
        )


def problems(plan: LabPlan, room: Room) -> tuple[str, ...]:
    """Pure: what is missing, in numbers. A machine that runs already has its memory and its disk."""
    fresh = [m for m in plan.machines if names.domain(plan.cluster, m.name) not in room.there]
    more = sum(m.memory + EACH for m in fresh)
    for machine in plan.machines:
        more += max(0, machine.memory - room.there.get(names.domain(plan.cluster, machine.name), machine.memory))
    found = []
    if room.memory is not None and more and more + RESERVE > room.memory:
        found.append(
            f"{_count(len(fresh))} {format_size(_whole(more))} of memory with what qemu itself takes, and "
            f"{format_size(_whole(max(0, room.memory - RESERVE)))} can be used"
        )
    disk = sum(min(m.disk, THIN) for m in fresh) + (BASE if fresh and not room.there else 0)
    if room.disk is not None and fresh and disk > room.disk:
        found.append(
            f"{_count(len(fresh))} about {format_size(_whole(disk))} of disk to begin with, and "
            f"{format_size(_whole(room.disk))} are free in the storage pool"
        )
    return tuple(found)


def look(plan: LabPlan) -> Room:
    """Ask libvirt; where our daemon would be started, this host itself."""
    uri = plan.libvirt.uri
    ours = place.here()
    if uri in daemon.SYSTEM_URIS and not ours.pid() and not Path("/run/libvirt/libvirt-sock").exists():
        why_not = daemon.possible()
        if why_not:
            raise HostError(f"libvirt does not answer; {why_not}", where=uri, hint="stacklab doctor")
        if not shutil.which("qemu-system-x86_64"):
            raise HostError("qemu is not installed", where=uri, hint="setup/bootstrap")
        return Room(facts.read().free_memory, _free(paths.work()), {})
    with connection.connect(uri, start=False) as libvirt_:
        stats = libvirt_.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS)
        free = sum(stats.get(key, 0) for key in ("free", "buffers", "cached")) * 1024
        there = {
            domain.name(): domain.maxMemory() * 1024
            for domain in libvirt_.listAllDomains()
            if (found := mark.read(connection.described(domain))) and found.stack == plan.stack and domain.isActive()
        }
        pool = pools.find(libvirt_, uri)
        disk = pool.info()[3] if pool is not None and pool.isActive() else None
    if disk is None and uri in daemon.SYSTEM_URIS and not ours.made:
        disk = _free(Path(pools.SYSTEM_FOLDER))
    return Room(free or None, disk, there)


def _free(folder: Path) -> int | None:
    there = next(p for p in (folder, *folder.parents) if p.exists())
    return shutil.disk_usage(there).free if os.access(there, os.R_OK) else None


def _whole(size: int) -> int:
    return -(-size // MIB) * MIB


def _count(machines: int) -> str:
    return f"{machines} machines need" if machines != 1 else "1 machine needs"
