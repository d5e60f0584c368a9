"""Which lab goes on which host: a pure function of what labs need, what hosts have, and where labs are already.

A lab that has a host keeps it. The others go, the largest first, to the host that is least full with them on it; equal
ones in the order of the hosts. The order of the roster does not matter. For n labs, h hosts and s sizes of labs it
takes about n log h + s h steps.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modules.classroom.footprint import Need, total


@dataclass(frozen=True)
class Room:
    """A host and what it has for labs, those that are there already included."""

    name: str
    has: Need
    most: int | None = None  # labs at most, whatever they need


@dataclass(frozen=True)
class Placement:
    """Where each lab goes; those that fit nowhere; what each host has left."""

    where: Mapping[str, str]
    left: tuple[str, ...]
    free: Mapping[str, Need]
    moved: tuple[str, ...]  # had a host that is no longer in the class
    overfull: tuple[str, ...]  # hosts with more on them than they have: labs grew, or somebody else took it


def place(needs: Mapping[str, Need], rooms: Sequence[Room], recorded: Mapping[str, str]) -> Placement:
    """The host of each lab."""
    by_name = {room.name: index for index, room in enumerate(rooms)}
    stays = {one: by_name[recorded[one]] for one in needs if recorded.get(one) in by_name}
    moved = tuple(sorted(one for one in needs if one in recorded and one not in stays))
    free = [room.has for room in rooms]
    number = [0] * len(rooms)
    for one, index in stays.items():
        free[index] = _minus(free[index], needs[one])
        number[index] += 1
    overfull = tuple(room.name for room, left in zip(rooms, free, strict=True) if min(left) < 0)
    where = {one: rooms[index].name for one, index in stays.items()}
    shapes: dict[Need, list[str]] = {}
    for one, need in needs.items():
        if one not in stays:
            shapes.setdefault(need, []).append(one)
    left: list[str] = []
    for need in sorted(shapes, reverse=True):
        # The least full host is always on top; a host whose turn is over does not come back for this size.
        heap = [
            (_load(room.has, free[i], need), i)
            for i, room in enumerate(rooms)
            if need.fits(free[i]) and (room.most is None or number[i] < room.most)
        ]
        heapq.heapify(heap)
        waiting = sorted(shapes[need])
        for position, one in enumerate(waiting):
            if not heap:
                left += waiting[position:]
                break
            _, index = heap[0]
            free[index] = _minus(free[index], need)
            number[index] += 1
            where[one] = rooms[index].name
            room = rooms[index]
            if need.fits(free[index]) and (room.most is None or number[index] < room.most):
                heapq.heapreplace(heap, (_load(room.has, free[index], need), index))
            else:
                heapq.heappop(heap)
    return Placement(where, tuple(sorted(left)), {r.name: f for r, f in zip(rooms, free, strict=True)}, moved, overfull)


def lacking(need: Need, placed: Placement) -> tuple[str, ...]:
    """What keeps a lab from fitting, on the host where the least is missing; "number": only a limit of labs does."""
    each = [need.lacking(free) for free in placed.free.values()]
    return min(each, key=len, default=()) or ("number",)


def used(needs: Mapping[str, Need], placed: Placement) -> Mapping[str, tuple[int, Need]]:
    """How many labs each host has, and what they take."""
    on: dict[str, list[Need]] = {name: [] for name in placed.free}
    for one, name in placed.where.items():
        on[name].append(needs[one])
    return {name: (len(found), total(found)) for name, found in on.items()}


def _minus(one: Need, other: Need) -> Need:
    return Need(one[0] - other[0], one[1] - other[1], one[2] - other[2], one[3] - other[3])


def _load(has: Need, free: Need, need: Need) -> float:
    """How full the host is with one more on it, by what it has least of."""
    return max((h - f + n) / h if 0 < h < float("inf") else 0.0 for h, f, n in zip(has, free, need, strict=True))
