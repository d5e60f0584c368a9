"""How the last command ended for each student: what `class status` tells beside what Pulumi knows.

`.stacklab/classes/<class>/outcomes.json`; written after each student, so a killed command is told apart too.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from modules.base import paths

INTERRUPTED = "interrupted"
_LOCK = threading.Lock()


def load(class_name: str) -> Mapping[str, Mapping[str, str]]:
    """By student: verb (up, repair or down), state (running, done, failed), error, at."""
    try:
        found: dict[str, dict[str, str]] = json.loads(_file(class_name).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found


def note(class_name: str, student: str, verb: str, state: str, error: str = "") -> None:
    """Remember one student's outcome; for a lab that was removed there is nothing to remember."""
    with _LOCK:
        every = dict(load(class_name))
        every[student] = {"verb": verb, "state": state, "error": error, "at": _now()}
        if (verb, state) == ("down", "done"):
            del every[student]
        _write(class_name, every)


def put_back(class_name: str, student: str, before: Mapping[str, str] | None) -> None:
    """As it was before a command that could do nothing; None when there was no outcome."""
    with _LOCK:
        every = {**load(class_name), student: before}
        _write(class_name, {one: entry for one, entry in every.items() if entry is not None})


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _write(class_name: str, every: Mapping[str, Mapping[str, str]]) -> None:
    path = _file(class_name)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    fresh.write_text(json.dumps(every, indent=1, sort_keys=True))
    fresh.replace(path)


def _file(class_name: str) -> Path:
    return paths.work() / "classes" / class_name / "outcomes.json"
