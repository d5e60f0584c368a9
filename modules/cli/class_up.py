"""`stacklab class up`: everybody's lab, side by side; the same command again goes on where it ended."""

from __future__ import annotations

import time
from datetime import date

import typer

from modules.base.errors import HostError
from modules.cli import class_base, class_plan, class_watch, output


def add(group: typer.Typer) -> None:
    """Add the command."""

    @group.command()
    def up(name: class_base.ClassName, only: class_base.Only = "", json: class_base.Json = False) -> None:
        """Make everybody's lab, or make it whole. Exit 1 when one fails or finds no place."""
        from modules.classroom import lock, make, reap, words

        with lock.hold(name):
            made, remembered, plan = class_plan.planned(name)
            reap.require_open(name, made.spec.expires, date.today())
            wanted = make.chosen(only, [seat.student.id for seat in plan.seats])
            seats = [seat for seat in plan.fit if seat.student.id in wanted]
            left = [seat for seat in plan.left if seat.student.id in wanted]
            if not seats:
                raise HostError("nobody's lab fits", where=f"class {name}", output="\n".join(words.verdict(plan)))
            if not json:
                for line in words.verdict(plan):
                    output.note(line)
            started = time.monotonic()
            session = make.Session(made, remembered, class_base.engine())
            with class_watch.stoppable(session), class_watch.watching() as watch:
                found = make.up(session, plan, seats, watch)
            more = {"without_place": [seat.student.id for seat in left]}
            class_watch.show("up", name, found, time.monotonic() - started, json=json, more=more)
            class_watch.leave(session, found, bad=bool(left))
