"""Which student has which place in the class's addresses. Pure, and nobody is moved by somebody else's coming or going.

A place is looked for once, by the student's id alone, and then remembered (record.py): no function of the id without
a memory can do it (docs/decisions/class-places.md). s07 gets place 7 when it is free, so addresses can be guessed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Slots:
    """The place of each student; `without` have none because all are taken."""

    of: Mapping[str, int]
    without: tuple[str, ...]


def assign(
    ids: Iterable[str],
    recorded: Mapping[str, int],
    room: int,
    *,
    avoid: Collection[int] = (),
    standing: Collection[str] = (),
) -> Slots:
    """The places of `ids`: the recorded ones, and for the others free ones that do not depend on the roster's order.

    avoid: places that others have. standing: who has a lab although no longer in the roster; their places stay theirs.
    The place of one who has left is given away only when there is no other.
    """
    here = dict.fromkeys(ids)
    kept = {one: slot for one, slot in recorded.items() if 0 <= slot < room}
    found = {one: kept[one] for one in here if one in kept}
    new = sorted((one for one in here if one not in kept), key=lambda one: (_preferred(one, room) is None, _hash(one)))
    free = _Free(room, {*avoid, *kept.values()})
    without = []
    for one in new:
        wish = _preferred(one, room)
        slot = free.take(_hash(one) % room if wish is None else wish) if room else None
        if slot is None:
            without.append(one)
        else:
            found[one] = slot
    left = sorted(slot for one, slot in kept.items() if one not in here and one not in standing)
    for one, slot in zip(without, left, strict=False):
        found[one] = slot
    return Slots(found, tuple(sorted(without[len(left) :])))


def _hash(one: str) -> int:
    return int.from_bytes(hashlib.sha256(one.encode()).digest()[:8], "big")


def _preferred(one: str, room: int) -> int | None:
    """The number at the end of an id, when it is one of a place."""
    ending = re.search(r"([0-9]{1,9})$", one)
    return int(ending[1]) if ending and int(ending[1]) < room else None


class _Free:
    """Free places; the next one from any place on is found in almost constant time, however many are taken."""

    def __init__(self, room: int, taken: Iterable[int]) -> None:
        self._room = room
        self._next: dict[int, int] = {}
        for slot in taken:
            if 0 <= slot < room:
                self._next.setdefault(slot, slot + 1)

    def take(self, wish: int) -> int | None:
        """The wished place or the next free one after it, going round; None when there is none."""
        slot = self._find(wish)
        if slot >= self._room:
            slot = self._find(0)
        if slot >= self._room:
            return None
        self._next[slot] = slot + 1
        return slot

    def _find(self, slot: int) -> int:
        seen = []
        while slot in self._next:
            seen.append(slot)
            slot = self._next[slot]
        for one in seen:
            self._next[one] = slot
        return slot
