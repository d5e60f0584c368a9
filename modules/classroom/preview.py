"""`class preview`: what `class up` would do to each student's stack, by Pulumi's own preview. Nothing of it stays.

Plan -> the stack files that `class up` would write, in a project aside -> the line of work.py -> counts by operation.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from modules.base.errors import StacklabError
from modules.classroom import aside, make, stack_files, work
from modules.classroom.aside import Aside
from modules.classroom.board import Board
from modules.classroom.make import Session, Watch
from modules.classroom.phases import Progress
from modules.classroom.plan import ClassPlan, Seat

# What Pulumi only looks at.
_NO_CHANGE = ("same", "read", "refresh")


@dataclass(frozen=True)
class Look:
    """One student: counts by operation, or why there are none. new: there is no stack yet."""

    id: str
    stack: str
    state: str  # done, failed, skipped, no place
    new: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)
    phase: str = ""
    error: str = ""
    seconds: float = 0.0

    @property
    def changes(self) -> int:
        """How many resources would not stay as they are."""
        return sum(count for name, count in self.counts.items() if name not in _NO_CHANGE)


def preview(session: Session, plan: ClassPlan, seats: Sequence[Seat], watch: Watch) -> list[Look]:
    """A look at every seat's stack, in the seats' order; one that fails is told in its line."""
    made = session.made
    there = session.engine.stacks()
    make.require_shared(session, there)
    by_id = {seat.student.id: seat for seat in seats}
    line, slots = make.line_of(plan, seats)
    board = Board({one: {} for one in by_id})
    counts: dict[str, Mapping[str, int]] = {}
    why: dict[str, str] = {}

    with aside.project() as project:
        _share(session, project, new=any(seat.stack not in there for seat in seats))

        def do(one: str) -> None:
            seat = by_id[one]
            new = seat.stack not in there
            own = None if new else stack_files.file_of(session.folder, seat.stack)
            project.write(seat.stack, stack_files.owned(made.name, one, make.config_of(made, seat)), keeps=own)
            progress = Progress(time.monotonic())
            try:
                counts[one] = session.engine.preview(
                    seat.stack, aside=project, new=new, progress=progress, on_phase=board.follow(one, progress)
                )
            except StacklabError as error:
                why[one] = error.what
                raise

        found = work.run(line, do, board, stopping=lambda: session.interrupted > 0, on_change=watch(board, slots))
    said = {entry.id: entry.said for entry in board.entries()}
    looks = []
    for one, seat in by_id.items():
        how, new = found[one], seat.stack not in there
        error = why.get(one, said[one]) if not session.interrupted else said[one]
        looks.append(Look(one, seat.stack, how.state, new, counts.get(one, {}), how.phase, error, how.seconds))
    return looks


def _share(session: Session, project: Aside, *, new: bool) -> None:
    """Stacks that are new are looked at in the state aside, and what they refer to must be there too."""
    if not new or session.made.spec.tenancy == "cluster":
        return
    try:
        session.engine.copy_aside(session.made.spec.shared.stack, project)
    except StacklabError:
        if not session.interrupted:
            raise


def without_place(seat: Seat) -> Look:
    """One whom `class up` would leave out."""
    return Look(seat.student.id, seat.stack, "no place", error=f"no place: {', '.join(seat.lacks)}")
