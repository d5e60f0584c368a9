"""`stacklab class plan`: does the class fit, and where does each lab go? Nothing is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from modules.cli import class_base, output

if TYPE_CHECKING:
    from modules.classroom.parse import Class
    from modules.classroom.plan import ClassPlan
    from modules.classroom.record import Record

DOES_NOT_FIT = 1
SHOWN = 60


def add(group: typer.Typer) -> None:
    """Add the command."""

    @group.command()
    def plan(
        name: class_base.ClassName,
        json: class_base.Json = False,
        every: Annotated[bool, typer.Option("--all", help="All students, however many.")] = False,
    ) -> None:
        """Say whether the class fits, and where each lab goes. Exit 1 when it does not fit."""
        from modules.classroom import words

        made, _, found = planned(name)
        if json:
            output.as_json(words.as_data(found))
        else:
            show(found, every=every)
        if made.spec.expires:
            output.note(f"{made.name} expires after {made.spec.expires}")
        if found.left:
            raise typer.Exit(DOES_NOT_FIT)


def planned(name: str) -> tuple[Class, Record, ClassPlan]:
    """The class, what is remembered of it, and its plan on the hosts as they are now."""
    from modules.classroom import footprint, plan, record, surroundings

    made = class_base.load(name)
    remembered = record.load(made.file)
    table = footprint.table()
    around = surroundings.look(made, remembered, table, class_base.shared_machines(made))
    return made, remembered, plan.plan(made, remembered, around, table)


def show(found: ClassPlan, *, every: bool) -> None:
    """Both tables and the verdict; of a large class those who found no place, and the first ones."""
    from modules.classroom import words

    rows = words.student_rows(found)
    cut = [] if every or len(rows) <= SHOWN else rows[SHOWN:]
    output.table("", words.STUDENTS, rows[: len(rows) - len(cut)])
    if cut:
        output.note(f"and {len(cut)} more: --all shows them")
    print()
    output.table("", words.HOSTS, words.host_rows(found))
    print()
    print(f"{found.name}: " + "\n".join(words.verdict(found)))
