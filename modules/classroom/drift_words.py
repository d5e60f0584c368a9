"""What a student changed, in rows of a table and as data. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modules.classroom.compare import Change
from modules.classroom.drift import Drift, Finding

HEAD = ("student", "what", "whose", "kind", "object", "detail")
SHOWN = 4


def rows(found: Sequence[Drift]) -> list[list[str]]:
    """A row a finding; one for a student whom nobody could look at, and one for each thing left out."""
    made = []
    for one in found:
        if one.error:
            made.append([one.id, "not seen", "", "", one.stack, clean(one.error)])
        made += [[one.id, "left out", "", "", one.stack, clean(note)] for note in one.notes]
        for each in one.findings:
            whose = f"{each.owner}'s"
            made.append([one.id, each.what, whose, clean(each.kind), clean(each.place), clean(detail(each))])
    return made


def verdict(name: str, found: Sequence[Drift]) -> str:
    """How many, in one line."""
    seen = [one for one in found if not one.error]
    changed = sum(bool(one.findings) for one in seen)
    words = [f"{changed} of {len(seen)} changed something" if changed else f"{len(seen)} as declared"]
    if len(seen) < len(found):
        words.append(f"{len(found) - len(seen)} not seen")
    return f"{name}: {', '.join(words)}"


def as_data(name: str, found: Sequence[Drift]) -> dict[str, Any]:
    """For programs."""
    students = [one.as_dict() for one in found]
    return {"class": name, "ok": all(one["ok"] for one in students), "students": students}


def detail(finding: Finding) -> str:
    """What of it, in one cell."""
    told = [change(one) for one in finding.changes[:SHOWN]]
    more = len(finding.changes) - SHOWN
    return "; ".join([*filter(None, [finding.detail]), *told, *([f"and {more} more"] if more > 0 else [])])


def change(one: Change) -> str:
    return f"{one.path}: {one.declared} -> {one.found}"


def clean(text: str) -> str:
    """Students write this: what would steer a terminal is shown, not done."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
