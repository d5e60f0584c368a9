"""The state of each lab, joined from three who each know a part."""

from __future__ import annotations

from datetime import datetime

from modules.classroom import status
from modules.classroom.record import Record
from modules.classroom.status import Known
from tests.unit.classroom.conftest import Make

AT = datetime(2026, 11, 21, 7, 30)


def test_states(make: Make) -> None:
    ids = ["made", "silent", "never", "failed", "killed", "making", "removing"]
    made = make(roster=[{"id": one} for one in ids])
    there = {f"cka-{one}": Known(9, AT) for one in [*ids, "gone"] if one != "never"}
    last = {
        "made": {"verb": "up", "state": "done"},
        "silent": {"verb": "up", "state": "done"},
        "failed": {"verb": "up", "state": "failed", "error": "no room"},
        "killed": {"verb": "up", "state": "running"},
        "gone": {"verb": "up", "state": "done"},
    }
    answering = {"cka-made": True, "cka-gone": True} | {f"cka-{one}": False for one in ("silent", "making", "removing")}
    found = {
        row.id: (row.state, row.note)
        for row in status.rows(made, Record({"gone": 3, "long-gone": 4}), there, last, answering, running=False)
    }
    assert found == {
        "made": ("up", ""),
        "silent": ("silent", ""),
        "never": ("not made", ""),
        "failed": ("failed", "no room"),
        "killed": ("half made", ""),
        "making": ("silent", ""),
        "removing": ("silent", ""),
        "gone": ("up", "no longer in the roster"),
    }
    verbs = {"making": "up", "removing": "down", "made": "repair"}
    under_way = {one: {"verb": verb, "state": "running"} for one, verb in verbs.items()}
    now = {row.id: row.state for row in status.rows(made, Record(), there, under_way, {}, running=True)}
    assert (now["making"], now["removing"], now["made"]) == ("being made", "being removed", "being put right")
