"""docs/backends.md shows the table of promises, and each lab is told what differs. UPDATE_GOLDEN=1 writes the page."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from modules.cli import lifecycle
from modules.topology import promises
from modules.topology.promises import BACKENDS, PAGE, PROMISES

FILE = Path(__file__).parents[3] / PAGE
TABLE = re.compile(r"(<!-- promises:.*?-->\n)(.*)(<!-- end of promises -->)", re.DOTALL)


def table() -> str:
    head = f"| | promise | {' | '.join(BACKENDS)} |\n|{'---|' * (2 + len(BACKENDS))}\n"
    lines = [f"| {' | '.join((row[0], row[1], *(cell or '✓' for cell in row[2:])))} |\n" for row in promises.rows()]
    return "\n" + head + "".join(lines).replace("<", "&lt;") + "\n"


def test_the_page_has_the_table() -> None:
    text = FILE.read_text()
    if os.environ.get("UPDATE_GOLDEN"):
        text = TABLE.sub(lambda found: found[1] + table() + found[3], text)
        FILE.write_text(text)
    found = TABLE.search(text)
    assert found is not None
    assert found[2] == table()


def test_every_promise_differs_somewhere_and_is_kept_somewhere() -> None:
    assert len({p.subject for p in PROMISES}) == len(PROMISES)
    for promise in PROMISES:
        assert set(promise.instead) < set(BACKENDS), promise
        assert promise.instead, promise


@pytest.mark.parametrize("backend", BACKENDS)
def test_notes_are_those_of_the_backend(backend: str) -> None:
    found = promises.notes(backend)
    assert len(found) == sum(backend in p.instead for p in PROMISES) > 0
    subjects = [line.partition(":")[0] for line in found]
    assert promises.summary(backend) == f"on {backend} these differ from other backends: {', '.join(subjects)} ({PAGE})"


def test_labs_rest_where_the_commands_know_how() -> None:
    rest = next(p for p in PROMISES if p.subject == "rest")
    assert set(BACKENDS) - set(rest.instead) == set(lifecycle._backends())


def test_a_note_says_what_there_is_and_what_elsewhere() -> None:
    line = "size: the host's, shared and not limited; elsewhere each machine has the CPUs and the memory of the file"
    assert line in promises.notes("kind")
    assert not any(note.startswith("size") for note in promises.notes("minikube"))
