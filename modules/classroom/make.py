"""`class up`, `class repair` and `class down` for one plan: stack files, Pulumi's engine, the line, the record.

Everything that one student's lab does not need of another's is shared by being in the artifact store already.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi.automation import StackSummary

from modules.base import paths
from modules.base.errors import StacklabError
from modules.classroom import labs, outcomes, record, stack_files, times, work
from modules.classroom.board import Board
from modules.classroom.engine import Engine
from modules.classroom.holder import HeldError
from modules.classroom.parse import Class
from modules.classroom.phases import Progress
from modules.classroom.plan import ClassPlan, Seat, to_remember
from modules.classroom.queue import Job, Line
from modules.classroom.record import Record
from modules.classroom.work import Outcome
from modules.topology.problem import nearest
from modules.topology.values import format_size


@dataclass
class Session:
    """One command on a class; `interrupted` counts how often the user asked to stop."""

    made: Class
    remembered: Record
    engine: Engine
    interrupted: int = 0

    def interrupt(self) -> None:
        """Ctrl-C: nobody else is started; what runs ends after its step, at the second time at once."""
        self.interrupted += 1
        self.engine.interrupt()

    @property
    def folder(self) -> Path:
        return paths.checkout() / "stacks"


Watch = Callable[[Board, int], Callable[[], None]]


def up(
    session: Session, plan: ClassPlan, seats: Sequence[Seat], watch: Watch, *, repair: bool = False
) -> Mapping[str, Outcome]:
    """Make the labs of these seats. repair: what others changed in the lab's objects is put right as well."""
    made = session.made
    there = session.engine.stacks()
    require_shared(session, there)
    record.save(made.file, to_remember(plan, session.remembered, made, [seat.student.id for seat in seats]))
    stack_files.hide(session.folder, [seat.stack for seat in seats])
    salt = stack_files.salt(session.folder, made.spec.shared.stack) if made.spec.tenancy == "namespace" else ""
    for seat in seats:
        stack_files.write(session.folder, seat.stack, made.name, seat.student.id, config_of(made, seat), salt)
    by_id = {seat.student.id: seat for seat in seats}
    line, slots = line_of(plan, seats)
    before = outcomes.load(made.name)
    whole = {one for one in by_id if before.get(one, {}).get("state") == "done" and by_id[one].stack in there}
    again = "repair" if repair else "again"
    kinds = {one: times.shape(again if one in whole else "up", made.lab(one).spec) for one in by_id}
    board = Board({one: times.usual(times.load(kinds[one]), slots) for one in by_id})
    program = _program(made)

    def do(one: str, progress: Progress, on_phase: Callable[[], None]) -> None:
        stack = by_id[one].stack
        new = stack not in there
        session.engine.up(stack, new=new, progress=progress, on_phase=on_phase, refresh=repair, program=program)
        if new or one in whole:  # one that goes on says nothing of how long a lab takes
            times.add(kinds[one], times.Run(progress.spent, slots))

    return _all(session, line, board, "repair" if repair else "up", do, watch(board, slots))


def line_of(plan: ClassPlan, seats: Sequence[Seat]) -> tuple[Line, int]:
    """The line of these seats' students, and how many are under way together at most."""
    per_host = {host.name: host.parallel for host in plan.hosts}
    line = Line([Job(seat.student.id, seat.host) for seat in seats], per_host, plan.together)
    return line, min(sum(per_host.values()), plan.together, len(seats))


def down(session: Session, stacks: Mapping[str, str], plan_parallel: int, watch: Watch) -> Mapping[str, Outcome]:
    """Remove the labs of these students (id -> stack), and their stack files."""
    made = session.made
    there = session.engine.stacks()
    line = Line([Job(one, "here") for one in stacks], {"here": plan_parallel})
    kinds = {one: times.shape("down", made.lab(one).spec) for one in stacks}
    program = _program(made)
    board = Board({one: times.usual(times.load(kinds[one]), plan_parallel) for one in stacks})

    def do(one: str, progress: Progress, on_phase: Callable[[], None]) -> None:
        stack = stacks[one]
        if stack in there:
            session.engine.down(stack, progress=progress, on_phase=on_phase, program=program)
            times.add(kinds[one], times.Run(progress.spent, plan_parallel))
        stack_files.remove(session.folder, stack, made.name)

    found = _all(session, line, board, "down", do, watch(board, plan_parallel), removing=True)
    gone = [one for one, outcome in found.items() if outcome.state == "done"]
    stack_files.hide(session.folder, (), [stacks[one] for one in gone])
    now = record.load(made.file)
    if now.slots or now.hosts:
        hosts = {one: host for one, host in now.hosts.items() if one not in gone}
        record.save(made.file, Record(now.slots, hosts, now.addresses))
    return found


def _all(
    session: Session,
    line: Line,
    board: Board,
    verb: str,
    do: Callable[[str, Progress, Callable[[], None]], None],
    on_change: Callable[[], None],
    *,
    removing: bool = False,
) -> Mapping[str, Outcome]:
    name = session.made.name

    def one_of_them(one: str) -> None:
        progress = Progress(time.monotonic(), removing)
        before = outcomes.load(name).get(one)
        outcomes.note(name, one, verb, "running")
        try:
            do(one, progress, board.follow(one, progress))
        except HeldError:
            outcomes.put_back(name, one, before)
            raise
        except Exception as error:
            said = error.in_one_line() if isinstance(error, StacklabError) else repr(error)
            outcomes.note(name, one, verb, "failed", outcomes.INTERRUPTED if session.interrupted else said)
            raise
        outcomes.note(name, one, verb, "done")

    return work.run(line, one_of_them, board, stopping=lambda: session.interrupted > 0, on_change=on_change)


def _program(made: Class) -> Callable[[], None] | None:
    """A share of a lab is told by this process: a Python for each of thirty would cost more than what they tell."""
    if made.spec.tenancy == "cluster":
        return None
    from modules import program
    from modules.classroom import tenant

    def deploy() -> None:
        with program.errors_without_stack_trace():
            tenant.deploy()

    return deploy


def config_of(made: Class, seat: Seat) -> dict[str, Any]:
    """What a student's stack file says: a lab, or a share of the one that is there."""
    kind = made.lab(seat.student.id)
    if made.spec.tenancy == "namespace":
        shared = made.spec.shared
        given = {
            **shared.model_dump(mode="json", include={"stack", "pods", "security"}),
            "cpu": f"{shared.cpu}m",
            "memory": format_size(shared.memory),
            "storage": format_size(shared.storage),
        }
        share = {"class_name": made.name, "student": seat.student.id, "shared": given, "lab": dict(kind.wanted)}
        return {"stacklab:tenant": share}
    uri = next((host.uri for host in made.spec.hosts if host.name == seat.host), "local")
    if seat.network is None:
        raise StacklabError("this student has no network", where=seat.stack)
    place = labs.Place(seat.network, "" if uri == "local" else uri)
    return {"stacklab:lab": labs.lab_data(kind.wanted, kind.spec, seat.student.id, place)}


def require_shared(session: Session, stacks: Mapping[str, StackSummary]) -> None:
    """With tenancy namespace the lab that all share is there before anybody gets a part of it."""
    shared = session.made.spec.shared.stack
    if session.made.spec.tenancy == "cluster":
        return
    found = stacks.get(shared)
    if found is None or not found.resource_count:
        raise StacklabError(
            f"the lab that all share is not up: {shared}",
            where=f"class {session.made.name}",
            hint=f"make up STACK={shared}",
        )


def chosen(only: str, ids: Collection[str]) -> list[str]:
    """`--only s07,s12` against those that are there; all of them without it."""
    if not only:
        return list(ids)
    wanted = [one.strip() for one in only.split(",") if one.strip()]
    for one in wanted:
        if one not in ids:
            close = nearest(one, ids)
            raise StacklabError(
                f"there is no such student: {one}", hint=f"did you mean {close}?" if close else "see the roster"
            )
    return wanted
