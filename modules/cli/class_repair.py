"""`stacklab class repair`: what the lab declares is made as declared; what students added of their own stays."""

from __future__ import annotations

import time
from datetime import date

import typer

from modules.base.errors import StacklabError
from modules.cli import class_base, class_plan, class_watch


def add(group: typer.Typer) -> None:
    """Add the command."""

    @group.command()
    def repair(name: class_base.ClassName, students: class_base.Students, json: class_base.Json = False) -> None:
        """Put these students' labs right, and keep their own work. Exit 1 when that fails for one."""
        from modules.classroom import lock, make, reap

        with lock.hold(name):
            made, remembered, plan = class_plan.planned(name)
            reap.require_open(name, made.spec.expires, date.today())
            wanted = make.chosen(",".join(students), [seat.student.id for seat in plan.seats])
            session = make.Session(made, remembered, class_base.engine())
            there = session.engine.stacks()
            seats = [seat for seat in plan.fit if seat.student.id in wanted and seat.stack in there]
            missing = [one for one in wanted if one not in {seat.student.id for seat in seats}]
            if missing:
                raise StacklabError(
                    f"no lab to put right: {', '.join(missing)}",
                    where=f"class {name}",
                    hint=f"stacklab class up {name} --only {','.join(missing)}",
                )
            started = time.monotonic()
            with class_watch.stoppable(session), class_watch.watching() as watch:
                found = make.up(session, plan, seats, watch, repair=True)
            class_watch.show("repaired", name, found, time.monotonic() - started, json=json)
            class_watch.leave(session, found)
