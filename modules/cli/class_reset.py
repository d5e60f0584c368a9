"""`stacklab class reset`: students' labs are removed and made again, as on the first day. Asks before."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from modules.base.errors import HostError, StacklabError
from modules.cli import class_base, class_plan, class_watch, output

if TYPE_CHECKING:
    from modules.classroom.make import Session, Watch
    from modules.classroom.plan import ClassPlan, Seat
    from modules.classroom.work import Outcome

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def add(group: typer.Typer) -> None:
    """Add the command."""

    @group.command()
    def reset(
        name: class_base.ClassName,
        students: class_base.Students,
        yes: Yes = False,
        json: class_base.Json = False,
    ) -> None:
        """Remove these students' labs with all that is in them, and make them anew. Exit 1 when that fails for one."""
        from modules.classroom import lock, make, reap

        with lock.hold(name):
            made, remembered, plan = class_plan.planned(name)
            reap.require_open(name, made.spec.expires, date.today())
            wanted = make.chosen(",".join(students), [seat.student.id for seat in plan.seats])
            seats = [seat for seat in plan.fit if seat.student.id in wanted]
            _all_fit(name, wanted, seats)
            session = make.Session(made, remembered, class_base.engine())
            make.require_shared(session, session.engine.stacks())
            _agreed(session, seats, yes=yes)
            started = time.monotonic()
            with class_watch.stoppable(session):
                found = anew(session, plan, seats, class_watch.watching)
            class_watch.show("reset", name, found, time.monotonic() - started, json=json)
            class_watch.leave(session, found)


def _all_fit(name: str, wanted: list[str], seats: list[Seat]) -> None:
    """Nothing is taken away from one who would get nothing back."""
    left = [one for one in wanted if one not in {seat.student.id for seat in seats}]
    if left:
        raise HostError(
            f"there is no place for a new lab of {', '.join(left)}; nothing was removed",
            where=f"class {name}",
            hint=f"stacklab class plan {name}",
        )


def _agreed(session: Session, seats: list[Seat], *, yes: bool) -> None:
    if yes:
        return
    there = session.engine.stacks()
    for seat in seats:
        known = there.get(seat.stack)
        has = f"{known.resource_count or 0} resources" if known else "nothing yet"
        output.note(f"{seat.student.id}: {seat.stack} ({has}), with everything that was made in it, and made anew")
    if not sys.stdin.isatty():
        raise StacklabError("nobody is there to ask; nothing was removed", hint="the same command with --yes")
    if not typer.confirm("Remove and make anew?", err=True):
        raise typer.Exit(1)


def anew(
    session: Session, plan: ClassPlan, seats: list[Seat], watching: Callable[[], AbstractContextManager[Watch]]
) -> Mapping[str, Outcome]:
    """Everybody's outcome: that of making, or of removing where that failed."""
    from modules.classroom import make

    stacks = {seat.student.id: seat.stack for seat in seats}
    parallel = max(1, min(sum(host.parallel for host in plan.hosts), plan.together))
    with watching() as watch:
        removed = make.down(session, stacks, parallel, watch)
    gone = [seat for seat in seats if removed[seat.student.id].state == "done"]
    if session.interrupted or not gone:
        return removed
    with watching() as watch:
        return {**removed, **make.up(session, plan, gone, watch)}
