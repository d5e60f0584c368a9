"""`stacklab class down`: removes labs, also those of students who left, and proves that nothing of them is left."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import typer

from modules.base import paths
from modules.cli import class_base, class_watch, output

if TYPE_CHECKING:
    from modules.classroom.make import Session
    from modules.classroom.parse import Class
    from modules.classroom.record import Record
    from modules.classroom.work import Outcome


@dataclass(frozen=True)
class Removed:
    """How it ended for everybody, and what is left on the host."""

    session: Session
    found: Mapping[str, Outcome]
    left: list[dict[str, Any]]
    seconds: float

    @property
    def clean(self) -> bool:
        """Everything is gone."""
        return not self.session.interrupted and not self.left and all(o.state == "done" for o in self.found.values())


def add(group: typer.Typer) -> None:
    """Add the command."""

    @group.command()
    def down(name: class_base.ClassName, only: class_base.Only = "", json: class_base.Json = False) -> None:
        """Remove everybody's lab, then list what is left on the host. Exit 1 when something is."""
        from modules.classroom import lock

        with lock.hold(name):
            gone = take_down(class_base.load(name), only)
            class_watch.show("removed", name, gone.found, gone.seconds, json=json, more={"left": gone.left})
            if gone.left and not json:
                show_left(gone.left)
            elif not json and not gone.session.interrupted:
                print(f"{name}: nothing is left")
            class_watch.leave(gone.session, gone.found, bad=bool(gone.left))


def take_down(made: Class, only: str = "") -> Removed:
    """Remove labs and the cards of those whose lab is gone; the caller holds the class."""
    from modules.classroom import folder, footprint, make, record, surroundings
    from modules.host import facts

    remembered = record.load(made.file)
    started = time.monotonic()
    session = make.Session(made, remembered, class_base.engine())
    there = labs_of(made, remembered, set(session.engine.stacks()))
    stacks = {one: there[one] for one in make.chosen(only, there)}
    # A share of a lab leaves nothing on the host; a lab from before the class had shares would.
    on_host = [stack for stack in stacks.values() if made.spec.tenancy == "cluster" or paths.lab(stack).exists()]
    parallel = surroundings.removed_at_a_time(made.spec, facts.read(), footprint.table())
    with class_watch.stoppable(session), class_watch.watching() as watch:
        found = make.down(session, stacks, parallel, watch)
    gone = [one for one, outcome in found.items() if outcome.state == "done"]
    for one in gone:
        folder.remove(made.file, one)
    if gone:
        folder.bind(made.file, made.spec.title or made.name, [student.id for student in made.spec.students])
    left = [] if session.interrupted else _receipts(on_host)
    return Removed(session, found, left, time.monotonic() - started)


def show_left(left: list[dict[str, Any]]) -> None:
    """What is left, and how it is removed."""
    rows = [[one["stack"], one["kind"], one["name"], one["command"]] for one in left]
    output.table("", ("stack", "left behind", "name", "removed by"), rows)


def labs_of(made: Class, remembered: Record, stacks: set[str]) -> dict[str, str]:
    """Who has a lab, or a part of one: student -> stack. Those who left the roster are among them."""
    from modules.classroom import labs, stack_files

    ids = dict.fromkeys([*(student.id for student in made.spec.students), *remembered.slots, *remembered.hosts])
    folder = paths.checkout() / "stacks"
    every = {one: labs.stack_name(made.name, one) for one in ids}
    return {
        one: stack
        for one, stack in every.items()
        if stack in stacks or stack_files.file_of(folder, stack).exists() or paths.lab(stack).exists()
    }


def _receipts(stacks: list[str]) -> list[dict[str, Any]]:
    """What these labs left, all of them together."""
    from modules.host import receipt

    found: dict[tuple[str, str], dict[str, Any]] = {}
    # Side by side: each waits a while for what is about to go.
    with ThreadPoolExecutor(8) as pool:
        for stack, one in zip(stacks, pool.map(receipt.receipt, stacks), strict=True):
            for left in one.leftovers:
                found.setdefault((left.kind, left.name), {"stack": stack, **asdict(left)})
    return list(found.values())
