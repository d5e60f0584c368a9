"""What an update would do to a class, in rows of a table and as data. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from modules.classroom.board import clock
from modules.classroom.outcomes import INTERRUPTED
from modules.classroom.phases import WORDS
from modules.classroom.preview import Look

HEAD = ("student", "stack", "create", "update", "replace", "delete", "same", "")
SHOWN = ("create", "update", "replace", "delete", "same")


def rows(looks: Sequence[Look]) -> list[list[str]]:
    """A line a student."""
    return [[look.id, look.stack, *_cells(look), _note(look)] for look in looks]


def total(looks: Sequence[Look]) -> Mapping[str, int]:
    """Everybody's counts together."""
    found: Counter[str] = Counter()
    for look in looks:
        found.update(look.counts)
    return {**dict.fromkeys(SHOWN, 0), **found}


def verdict(name: str, looks: Sequence[Look], seconds: float) -> str:
    """cka: 12 of 13 looked at in 0:40: 40 to create, 2 to update, 100 same; nothing would change for 9; 1 failed"""
    done = [look for look in looks if look.state == "done"]
    counts = [(kind, count) for kind, count in total(looks).items() if count]
    words = [f"{count} same" if kind == "same" else f"{count} to {kind}" for kind, count in counts]
    still = sum(not look.changes for look in done)
    failed = sum(look.state in ("failed", "no place") for look in looks)
    parts = [
        f"{len(done)} of {len(looks)} previewed in {clock(seconds)}: {', '.join(words) or 'nothing'}",
        *([f"nothing would change for {still}"] if still else []),
        *([f"{failed} failed"] if failed else []),
    ]
    return f"{name}: {'; '.join(parts)}"


def as_data(name: str, looks: Sequence[Look], seconds: float) -> dict[str, Any]:
    """For programs."""
    return {
        "class": name,
        "seconds": round(seconds, 1),
        "changes": any(look.changes for look in looks),
        "total": total(looks),
        "students": [
            {
                "id": look.id,
                "stack": look.stack,
                "state": look.state,
                "new": look.new,
                "changes": dict(look.counts),
                "phase": look.phase,
                "error": look.error,
                "seconds": round(look.seconds, 1),
            }
            for look in looks
        ],
    }


def _cells(look: Look) -> list[str]:
    return [str(look.counts.get(kind, 0)) if look.state == "done" else "" for kind in SHOWN]


def _note(look: Look) -> str:
    if look.state == "failed" and look.error == INTERRUPTED:
        return INTERRUPTED
    if look.state == "failed":
        return f"failed, {WORDS.get(look.phase, look.phase)}: {look.error}"
    if look.state != "done":
        return look.error or look.state
    others = [f"{count} to {kind}" for kind, count in look.counts.items() if kind not in SHOWN and count]
    return ", ".join([*(["new"] if look.new else []), *others]) or ("" if look.changes else "as it is")
