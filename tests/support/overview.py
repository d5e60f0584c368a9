"""The teacher's page in a process of its own, as the command starts it, of a class that a test describes in a file.

`python -m tests.support.overview FILE`: FILE holds name, title, admin, kubeconfig, rows, drift (findings by student)
and bad (what actions end badly with, by student); it is read anew whenever the page asks. An action is begun, noted in
FILE.did, and goes on until FILE.go-<student> is there.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from modules.base.probe import Answer, wait_for
from modules.classroom.compare import Change
from modules.classroom.drift import Drift, Finding
from modules.classroom.status import Row
from modules.cli import class_serve
from modules.overview import watch
from modules.overview.watch import Source
from modules.overview.worker import Action, Report
from tests.support.dashboard import Running, served


class Class:
    """The class of the file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def now(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file.read_text())
        return found

    def source(self) -> Source:
        begun = self.now()
        return Source(
            begun["name"],
            begun["title"],
            self._rows,
            self._outputs,
            lambda _: Path(begun["kubeconfig"]),
            None,
            self._drift,
        )

    def _rows(self) -> tuple[str, Sequence[Row]]:
        usual = {"name": "", "answers": None, "resources": 9, "since": "2026-11-21 07:30", "note": "", "state": "up"}
        rows = [{**usual, "stack": f"cka-{row['id']}", **row} for row in self.now()["rows"]]
        return "", [Row(**row) for row in rows]

    def _outputs(self, stack: str) -> Mapping[str, Any]:
        student = stack.partition("-")[2]
        url = f"http://{student}.kubia.example.com/"
        return {
            "exposures": [{"app": "kubia", "kind": "ingress", "url": url}],
            "machines": [{"name": "machine", "role": "master", "address": "10.0.0.2"}],
        }

    def _drift(self, student: str) -> Drift:
        found = self.now().get("drift", {}).get(student, [])
        if isinstance(found, str):
            return Drift(student, f"cka-{student}", error=found)
        changes = [tuple(Change(*change) for change in one.pop("changes", ())) for one in found]
        findings = tuple(Finding(**one, changes=these) for one, these in zip(found, changes, strict=True))
        return Drift(student, f"cka-{student}", findings)


class Hands:
    """Begins what it is told, and ends it when the test says so."""

    def __init__(self, class_: Class) -> None:
        self.class_ = class_
        self.stopped = threading.Event()

    def do(self, action: Action, students: Sequence[str], report: Report) -> None:
        for one in students:
            report.phase(one, "addons and apps")
            with self.class_.file.with_suffix(".did").open("a") as did:
                did.write(f"{action} {one}\n")
            go = self.class_.file.with_suffix(f".go-{one}")

            def look(go: Path = go) -> Answer[bool]:
                return Answer(True if go.exists() or self.stopped.is_set() else None, "")

            wait_for("the test says go", look, timeout=60, every=0.02)
            if self.stopped.is_set():
                report.end(one, ok=False, said="interrupted")
                continue
            go.unlink()
            bad = self.class_.now().get("bad", {}).get(one, "")
            report.end(one, ok=not bad, said=bad)

    def interrupt(self) -> None:
        self.stopped.set()


@contextlib.contextmanager
def started(file: Path) -> Iterator[Running]:
    """The command in its own process, until the block ends."""
    with served("tests.support.overview", str(file)) as running:
        yield running


if __name__ == "__main__":
    watch.ROWS_EVERY, watch.LABS_EVERY, watch.DRIFT_EVERY, watch.DRIFT_AGAIN = 0.3, 0.5, 0.1, 0.5
    shown = Class(Path(sys.argv[1]))
    told = shown.now()
    students = [row["id"] for row in told["rows"]]
    hands = Hands(shown) if told["admin"] else None
    class_serve.show(shown.source(), 0, browser=False, hands=hands, students=students)
