"""What the teacher's page asks for is done as the commands do it: the same lock, plan, line and checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from modules.classroom.phases import WORDS
from modules.cli import class_base, class_plan, class_reset, class_verify

if TYPE_CHECKING:
    from modules.classroom.board import Board
    from modules.classroom.make import Session, Watch
    from modules.classroom.plan import ClassPlan, Seat
    from modules.overview.worker import Action, Report

PATIENCE = 90.0
SIDE_BY_SIDE = 4


class ClassHands:
    """The hands of one class's page."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._session: Session | None = None

    def do(self, action: Action, students: Sequence[str], report: Report) -> None:
        """The class file is read anew each time, as a command reads it."""
        if action == "verify":
            self._verify(students, report)
        else:
            self._change(action, list(students), report)

    def interrupt(self) -> None:
        """As Ctrl-C does to a command."""
        if self._session is not None:
            self._session.interrupt()

    def _verify(self, students: Sequence[str], report: Report) -> None:
        from modules.classroom import labs

        made = class_base.load(self._name)
        look = class_verify.check if made.spec.tenancy == "cluster" else class_verify.check_share(made)

        def one_of_them(one: str) -> None:
            report.phase(one, "asking")
            found = look(one, labs.stack_name(self._name, one), PATIENCE)
            report.end(one, ok=found.ok, said=class_verify.said(found))

        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            list(pool.map(one_of_them, students))

    def _change(self, action: Action, students: list[str], report: Report) -> None:
        from modules.classroom import lock, make, reap

        with lock.hold(self._name):
            made, remembered, plan = class_plan.planned(self._name)
            reap.require_open(self._name, made.spec.expires, date.today())
            session = make.Session(made, remembered, class_base.engine())
            seats = self._able(action, students, plan, session, report)
            if not seats:
                return
            self._session = session
            try:
                if action == "reset":
                    make.require_shared(session, session.engine.stacks())
                    verbs = iter(("removing", "making"))
                    found = class_reset.anew(session, plan, seats, lambda: _watching(report, next(verbs)))
                else:
                    found = make.up(session, plan, seats, _watch(report), repair=action == "repair")
            finally:
                self._session = None
        for one, outcome in found.items():
            ok = outcome.state == "done"
            report.end(one, ok=ok, said="" if ok else outcome.error.partition("\n")[0] or outcome.state)

    def _able(
        self, action: Action, students: list[str], plan: ClassPlan, session: Session, report: Report
    ) -> list[Seat]:
        """Who can have it; the others are told why not, and keep nobody from it."""
        there = session.engine.stacks() if action == "repair" else {}
        fit = {seat.student.id: seat for seat in plan.fit}
        able = []
        for one in students:
            seat = fit.get(one)
            if seat is None:
                report.end(one, ok=False, said="there is no place for this lab; nothing was changed")
            elif action == "repair" and seat.stack not in there:
                report.end(one, ok=False, said="there is no lab to put right")
            else:
                able.append(seat)
        return able


@contextmanager
def _watching(report: Report, verb: str) -> Iterator[Watch]:
    yield _watch(report, verb)


def _watch(report: Report, verb: str = "") -> Watch:
    """Tells the page what the board of a command knows. Without a verb this board is all: who has ended has ended."""

    def begin(board: Board, _: int) -> Callable[[], None]:
        def tell() -> None:
            for entry in board.entries():
                if entry.state == "running":
                    phase = WORDS.get(entry.phase, entry.phase)
                    report.phase(entry.id, f"{verb}, {phase}" if verb else phase)
                elif entry.state in ("done", "failed") and not verb:
                    report.end(entry.id, ok=entry.state == "done", said=entry.said)

        return tell

    return begin
