"""Nobody is moved: the places of students through any coming and going."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from modules.classroom import labs, record
from modules.classroom.model import Addresses
from modules.classroom.record import Record
from modules.classroom.slots import assign

IDS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,4}[a-z0-9])?", fullmatch=True)
ROSTERS = st.lists(IDS, unique=True, max_size=40)


@given(st.lists(ROSTERS, min_size=1, max_size=6), st.integers(40, 64))
def test_nobody_moves_through_any_coming_and_going(rosters: Sequence[list[str]], room: int) -> None:
    remembered: dict[str, int] = {}
    for roster in rosters:
        found = assign(roster, remembered, room)
        assert found.without == ()
        assert set(found.of) == set(roster)
        assert len(set(found.of.values())) == len(roster)
        assert all(0 <= slot < room for slot in found.of.values())
        stayed = [one for one in roster if one in remembered and remembered[one] in found.of.values()]
        for one in stayed:
            assert found.of[one] == remembered[one]
        # Somebody's old place was given away: only when nothing else was free.
        lost = {one for one in remembered if one not in roster and remembered[one] in found.of.values()}
        if lost:
            assert len({*remembered.values(), *found.of.values()}) == room
        remembered = {one: slot for one, slot in remembered.items() if one not in lost} | dict(found.of)


@given(ROSTERS.flatmap(lambda ids: st.tuples(st.just(ids), st.permutations(ids))), st.integers(1, 64))
def test_the_order_of_the_roster_does_not_matter(two: tuple[list[str], list[str]], room: int) -> None:
    one, other = two
    assert assign(one, {}, room) == assign(other, {}, room)


@given(ROSTERS, IDS, st.integers(64, 128))
def test_one_who_comes_moves_nobody_and_comes_back_to_the_same_place(ids: list[str], new: str, room: int) -> None:
    before = assign([one for one in ids if one != new], {}, room).of
    after = assign([*ids, new], before, room).of
    assert {one: after[one] for one in before} == before
    back = assign(ids, after, room).of
    assert all(after[one] == slot for one, slot in back.items())


@given(ROSTERS, st.sets(st.integers(0, 63), max_size=60))
def test_places_of_others_are_not_given_out(ids: list[str], avoid: set[int]) -> None:
    found = assign(ids, {}, 64, avoid=avoid)
    assert not avoid & set(found.of.values())
    assert len(found.of) == min(len(ids), 64 - len(avoid))
    assert set(found.without) | set(found.of) == set(ids)


def test_the_place_of_a_lab_that_stands_is_never_given_away() -> None:
    remembered = {"gone": 0, "left": 1}
    found = assign(["a", "b"], remembered, 2, standing={"gone"})
    assert (dict(found.of), found.without) in (({"a": 1}, ("b",)), ({"b": 1}, ("a",)))


def test_numbers_are_places_that_people_can_guess() -> None:
    found = assign(["s07", "s08", "t07"], {}, 100).of
    assert {found["s07"], found["t07"]} >= {7}
    assert found["s08"] == 8 or 8 in found.values()
    assert labs.network_of(Addresses(), 7).with_prefixlen == "10.208.7.0/24"


def test_ten_thousand_in_just_as_many_places() -> None:
    ids = [f"student-{n}" for n in range(10_000)]
    found = assign(ids, {}, 10_000)
    assert sorted(found.of.values()) == list(range(10_000))


@given(ROSTERS, st.integers(22, 26))
def test_a_record_is_read_back_as_it_was_written(ids: list[str], each: int) -> None:
    slots = assign(ids, {}, 64).of
    written = Record(slots, dict.fromkeys(ids[::2], "lab-1"), Addresses(each=each))
    assert record.parse(record.as_data(written)) == Record(
        dict(sorted(slots.items())), written.hosts, written.addresses
    )


@given(st.integers(22, 26), st.lists(st.integers(0, 2**20 - 1), max_size=5), st.integers(16, 32))
def test_networks_of_others_are_avoided_whatever_their_size(each: int, starts: list[int], length: int) -> None:
    from ipaddress import IPv4Network

    addresses = Addresses(each=each)
    taken = [IPv4Network((0x0AD00000 + start, length), strict=False) for start in starts]
    avoid = record.avoided(addresses, taken)
    for slot in {0, 1, labs.room(addresses) - 1, *avoid}:
        overlaps = any(labs.network_of(addresses, slot).overlaps(one) for one in taken)
        assert overlaps == (slot in avoid)
