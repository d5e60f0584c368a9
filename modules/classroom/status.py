"""The state of every student's lab, joined from what Pulumi, the last command and the lab itself say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from modules.classroom import labs
from modules.classroom.outcomes import INTERRUPTED
from modules.classroom.parse import Class
from modules.classroom.record import Record


@dataclass(frozen=True)
class Known:
    """What Pulumi knows of a stack."""

    resources: int
    updated: datetime | None


@dataclass(frozen=True)
class Row:
    """One student. state: not made, up, silent, failed, half made, being made, being put right, being removed."""

    id: str
    name: str
    stack: str
    state: str
    answers: bool | None
    resources: int
    since: str
    note: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def stacks_of(class_name: str, ids: Iterable[str]) -> Mapping[str, str]:
    """Student -> stack."""
    return {one: labs.stack_name(class_name, one) for one in ids}


def rows(
    made: Class,
    remembered: Record,
    stacks: Mapping[str, Known],
    outcomes: Mapping[str, Mapping[str, str]],
    answering: Mapping[str, bool],
    *,
    running: bool,
) -> list[Row]:
    """Everybody in the roster, then those who left it and whose labs are still there. running: a command is at work."""
    names = {student.id: student.name for student in made.spec.students}
    gone = [one for one in remembered.slots if one not in names and labs.stack_name(made.name, one) in stacks]
    found = []
    for one, stack in stacks_of(made.name, [*names, *gone]).items():
        known, last = stacks.get(stack), outcomes.get(one, {})
        answers = answering.get(stack)
        state = _state(known, last, answers, running=running)
        note = last.get("error", "") if state in ("failed", "half made") else ""
        if one in gone:
            note = f"no longer in the roster; {note}" if note else "no longer in the roster"
        since = known.updated.strftime("%Y-%m-%d %H:%M") if known and known.updated else ""
        shown = None if state == "not made" else answers
        found.append(Row(one, names.get(one, ""), stack, state, shown, known.resources if known else 0, since, note))
    return found


def _state(known: Known | None, last: Mapping[str, str], answers: bool | None, *, running: bool) -> str:
    verb, ended = last.get("verb"), last.get("state")
    if ended == "running":
        if running:
            return {"up": "being made", "repair": "being put right"}.get(verb or "", "being removed")
        return "half made"  # the command was killed
    if ended == "failed":
        return "half made" if last.get("error") == INTERRUPTED else "failed"
    if known is None or not known.resources:
        return "not made"
    return "silent" if answers is False else "up"
