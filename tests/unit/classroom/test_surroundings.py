"""How many labs, and shares of one lab, are made and removed at a time."""

from __future__ import annotations

from dataclasses import replace

from modules.classroom import surroundings
from modules.host import facts
from tests.unit.classroom.conftest import Make
from tests.unit.classroom.test_plan import GIB, TABLE

HERE = replace(facts.read(), cores=2, free_memory=21 * GIB)


def counts(make: Make, memory: int = 21, **keys: object) -> tuple[int, int]:
    spec, here = make(**keys).spec, replace(HERE, free_memory=memory * GIB)
    made = surroundings.at_a_time(spec.hosts[0], spec, here, TABLE)
    return made, surroundings.removed_at_a_time(spec, here, TABLE)


def test_a_share_takes_less_of_a_core_than_a_lab(make: Make) -> None:
    assert counts(make) == (2, 2)
    assert counts(make, tenancy="namespace") == (8, 32)


def test_memory_is_a_limit_for_both(make: Make) -> None:
    assert counts(make, memory=5, tenancy="namespace") == (8, 10)
    assert counts(make, memory=2, tenancy="namespace") == (2, 2)


def test_what_the_teacher_says_is_what_is_done(make: Make) -> None:
    assert counts(make, tenancy="namespace", limits={"parallel": 3}) == (3, 3)
