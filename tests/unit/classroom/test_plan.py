"""The plan of a whole class in words: golden texts (UPDATE_GOLDEN=1 rewrites them)."""

from __future__ import annotations

import json
import os
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from modules.classroom import plan, words
from modules.classroom.footprint import MIB, UNLIMITED, Need, Table, of_lab
from modules.classroom.placement import Room
from modules.classroom.plan import ClassPlan, Surroundings
from modules.classroom.record import Record
from modules.cli.output import plain_table
from tests.unit.classroom.conftest import VMS, Make

GOLDEN = Path(__file__).parent / "golden"
GIB = 1024 * MIB
TABLE = Table(
    {
        "machines": {
            "kind": {
                "master": {"memory": 500, "cpu": 100, "disk": 300, "inotify": 11},
                "worker": {"memory": 200, "cpu": 50, "disk": 150, "inotify": 11},
            },
            "libvirt": {
                "master": {"memory": 100, "sizes": True, "emulated": 900},
                "worker": {"memory": 100, "sizes": True, "emulated": 700},
            },
        },
        "addons": {"calico": {"lab": {"memory": 30}, "machine": {"memory": 70, "cpu": 10}}},
        "pod": {"memory": 10},
        "share": {"memory": 2},
        "making": {"memory": 500, "cpu": 900},
        "sharing": {"memory": 200, "cpu": 250},
        "unknown": {"memory": 40},
    }
)
ROOMY = Room("this-host", Need(64 * GIB, 64_000, 900 * GIB, 9000))


def students(count: int) -> list[dict[str, Any]]:
    return [{"id": f"s{n:02}", "name": f"Student {n}"} for n in range(1, count + 1)]


def around(*rooms: Room, **more: Any) -> Surroundings:
    return Surroundings(rooms, {room.name: 2 for room in rooms}, **more)


def shown(found: ClassPlan) -> str:
    tables = [plain_table(words.STUDENTS, words.student_rows(found)), plain_table(words.HOSTS, words.host_rows(found))]
    return "\n".join([*tables[0], "", *tables[1], "", *words.verdict(found), ""])


def golden(name: str, text: str) -> None:
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


CASES: dict[str, tuple[dict[str, Any], Surroundings]] = {
    "fits": ({"roster": students(3), "overrides": {"s02": {"workers": 2}}}, around(ROOMY)),
    "memory": ({"roster": students(30)}, around(Room("this-host", Need(15.6 * GIB, 9000, 90 * GIB, 900)))),
    "workers": (
        {"roster": students(4), "overrides": {}, "workers": 2},
        around(Room("this-host", Need(4 * GIB, 9000, 90 * GIB, 900))),
    ),
    "inotify": ({"roster": students(12)}, around(Room("this-host", Need(64 * GIB, 9000, 90 * GIB, 128)))),
    "cpu-and-disk": ({"roster": students(3)}, around(Room("this-host", Need(64 * GIB, 250, 700 * MIB, 900)))),
    "taken": (
        {"roster": students(3), "addresses": {"range": "10.208.0.0/22"}},
        around(ROOMY, taken=(IPv4Network("10.208.0.0/23"), IPv4Network("10.208.3.128/25"))),
    ),
    "shared": ({"roster": students(3), "tenancy": "namespace"}, around(Room("this-host", ROOMY.has, most=2))),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_teacher_reads(make: Make, name: str) -> None:
    keys, surroundings = CASES[name]
    keys = dict(keys)
    template = {"backend": "kind", "workers": keys.pop("workers", 0), "addons": ["calico"], "apps": [{"name": "kubia"}]}
    found = plan.plan(make(template_data=template, **keys), Record(), surroundings, TABLE)
    golden(name, shown(found))
    data = json.loads(json.dumps(words.as_data(found)))
    assert data["fits"] == (not found.left)
    assert len(data["students"]) == len(found.seats)


def test_vms_on_several_hosts(make: Make) -> None:
    hosts = [
        {"name": f"lab-{n}", "uri": f"qemu+ssh://lab-{n}/system", "memory": "10GiB", "cpus": 4, "disk": "1TiB"}
        for n in (1, 2)
    ]
    made = make(template_data=VMS, roster=students(5), hosts=hosts)
    rooms = [Room(f"lab-{n}", Need(10 * GIB, 16_000, 1000 * GIB, UNLIMITED.inotify)) for n in (1, 2)]
    golden("vms", shown(plan.plan(made, Record(), around(*rooms), TABLE)))


def test_what_is_remembered_is_what_is_planned_again(make: Make) -> None:
    made = make(roster=students(5))
    first = plan.plan(made, Record(), around(ROOMY), TABLE)
    remembered = plan.to_remember(first, Record(), made, only=["s02"])
    assert set(remembered.slots) == {f"s{n:02}" for n in range(1, 6)}
    assert dict(remembered.hosts) == {"s02": "this-host"}
    smaller = make(roster=students(5)[1:])
    again = plan.plan(smaller, remembered, around(ROOMY, standing=frozenset({"s01"})), TABLE)
    assert {s.student.id: s.network for s in again.seats} == {s.student.id: s.network for s in first.seats[1:]}
    assert again.gone == ("s01",)
    assert "stacklab class down cka --only s01" in "\n".join(words.verdict(again))
    assert plan.to_remember(again, remembered, smaller).slots["s01"] == remembered.slots["s01"]


def test_vms_take_what_the_stack_file_gives_them(make: Make) -> None:
    spec = make(template_data=VMS).usual.spec
    assert of_lab(spec, TABLE) == Need(2 * (2 * GIB + 100 * MIB), 4000, 40 * GIB, 0)


def test_machines_that_are_emulated_take_more(make: Make) -> None:
    spec = make(template_data={**VMS, "libvirt": {"acceleration": "tcg"}}).usual.spec
    assert of_lab(spec, TABLE) == Need(4 * GIB + 900 * MIB + 700 * MIB, 4000, 40 * GIB, 0)


def test_an_addon_that_was_never_measured_counts_too(make: Make) -> None:
    with_it, without = (
        of_lab(make(template_data={"backend": "kind", "addons": ["calico", *more]}).usual.spec, TABLE)
        for more in (["metallb"], [])
    )
    assert with_it.memory - without.memory == 40 * MIB
