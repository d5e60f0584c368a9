"""`stacklab class preview`: what `class up` would do to everybody's stack, as one table. Nothing is made."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from modules.cli import class_base, class_plan, class_watch, output

CHANGES, NOT_SEEN = 1, 2
Expect = Annotated[bool, typer.Option("--expect-no-changes", help="Exit 1 when something would change.")]


def add(group: typer.Typer) -> None:
    """Add the command."""

    @group.command()
    def preview(
        name: class_base.ClassName,
        only: class_base.Only = "",
        expect_no_changes: Expect = False,
        json: class_base.Json = False,
    ) -> None:
        """Show what `class up` would make, update, replace and delete. Exit 2 when somebody cannot be looked at."""
        from modules.classroom import lock, make, preview_words
        from modules.classroom import preview as looking

        made, remembered, plan = class_plan.planned(name)
        wanted = make.chosen(only, [seat.student.id for seat in plan.seats])
        fit = {seat.student.id for seat in plan.fit}
        seats = [seat for seat in plan.seats if seat.student.id in wanted]
        started = time.monotonic()
        session = make.Session(made, remembered, class_base.engine())
        with class_watch.stoppable(session), class_watch.watching() as watch:
            found = looking.preview(session, plan, [seat for seat in seats if seat.student.id in fit], watch)
        looks = {look.id: look for look in found}
        every = [looks.get(seat.student.id) or looking.without_place(seat) for seat in seats]
        seconds = time.monotonic() - started
        if json:
            output.as_json(preview_words.as_data(name, every, seconds))
        else:
            output.table("", preview_words.HEAD, preview_words.rows(every))
            print(f"\n{preview_words.verdict(name, every, seconds)}")
            if held := lock.held(name):
                output.note(f"being changed by {held}")
        if session.interrupted:
            raise typer.Exit(class_watch.INTERRUPTED)
        if any(look.state != "done" for look in every):
            raise typer.Exit(NOT_SEEN)
        if expect_no_changes and any(look.changes for look in every):
            raise typer.Exit(CHANGES)
