"""Where labs go: all fits, nothing moves, and what does not fit is told with its reason."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modules.classroom.footprint import Need, total
from modules.classroom.placement import Room, lacking, place

NEEDS = st.builds(Need, *(st.integers(1, 50) for _ in Need._fields))
CLASSES = st.dictionaries(st.text("abcdef", min_size=1, max_size=4), NEEDS, max_size=30)
ROOMS = st.lists(st.builds(Need, *(st.integers(0, 400) for _ in Need._fields)), max_size=6).map(
    lambda found: [Room(f"h{n}", has) for n, has in enumerate(found)]
)


@given(CLASSES, ROOMS)
def test_no_host_gets_more_than_it_has_and_nobody_is_forgotten(needs: dict[str, Need], rooms: list[Room]) -> None:
    placed = place(needs, rooms, {})
    assert {*placed.where, *placed.left} == set(needs)
    for room in rooms:
        on = [needs[one] for one, host in placed.where.items() if host == room.name]
        assert total(on).fits(room.has)
    for one in placed.left:
        assert not any(needs[one].fits(free) for free in placed.free.values())
        assert set(lacking(needs[one], placed)) <= {*Need._fields, "number"}


@given(CLASSES, ROOMS, st.data())
def test_who_has_a_host_keeps_it_when_others_come_and_go(
    needs: dict[str, Need], rooms: list[Room], data: st.DataObject
) -> None:
    first = place(needs, rooms, {})
    ids = sorted(needs)
    some = data.draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
    left = {one: needs[one] for one in some}
    again = place({**left, "new": Need(1, 1, 1, 1)}, rooms, first.where)
    assert {one: again.where.get(one) for one in some} == {
        one: first.where.get(one, again.where.get(one)) for one in some
    }
    assert again.overfull == ()


@given(CLASSES.flatmap(lambda needs: st.tuples(st.just(needs), st.permutations(sorted(needs)))), ROOMS)
def test_the_order_of_the_roster_does_not_matter(both: tuple[dict[str, Need], list[str]], rooms: list[Room]) -> None:
    needs, order = both
    assert place(needs, rooms, {}) == place({one: needs[one] for one in order}, rooms, {})


def test_hosts_are_filled_evenly() -> None:
    rooms = [Room("a", Need(100, 100, 100, 100)), Room("b", Need(50, 100, 100, 100))]
    placed = place({f"s{n}": Need(10, 1, 1, 1) for n in range(12)}, rooms, {})
    assert [list(placed.where.values()).count(name) for name in ("a", "b")] == [8, 4]


def test_a_host_that_left_the_class_sends_its_labs_elsewhere_and_says_so() -> None:
    placed = place({"s1": Need(1)}, [Room("b", Need(9, 9, 9, 9))], {"s1": "a"})
    assert (dict(placed.where), placed.moved) == ({"s1": "b"}, ("s1",))


def test_labs_that_are_there_stay_when_the_host_has_less_than_they_take() -> None:
    placed = place({"s1": Need(8), "s2": Need(8)}, [Room("a", Need(9, 9, 9, 9))], {"s1": "a", "s2": "a"})
    assert (len(placed.where), placed.overfull) == (2, ("a",))


def test_the_number_of_labs_may_be_limited_by_itself() -> None:
    placed = place({"s1": Need(1), "s2": Need(1)}, [Room("a", Need(9, 9, 9, 9), most=1)], {})
    assert (placed.left, lacking(Need(1), placed)) == (("s2",), ("number",))
