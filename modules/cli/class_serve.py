"""`stacklab class serve`: the teacher's page, on this machine only, until Ctrl-C; with --admin it changes labs too."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from modules.base import paths
from modules.cli import class_base, class_status, class_watch, output

if TYPE_CHECKING:
    from modules.classroom.drift import Drift
    from modules.classroom.parse import Class
    from modules.classroom.status import Row
    from modules.overview.watch import Source
    from modules.overview.worker import Hands, Worker


def add(group: typer.Typer) -> None:
    """Add the command."""

    @group.command()
    def serve(
        name: class_base.ClassName,
        port: Annotated[int, typer.Option(help="The page's port; 0 takes a free one.", min=0, max=65535)] = 0,
        browser: Annotated[bool, typer.Option(help="Show the page in your browser.")] = True,
        admin: Annotated[bool, typer.Option("--admin", help="With buttons: verify, repair, reset, up.")] = False,
    ) -> None:
        """Show the class live in the browser: everybody's lab, health, figures, drift, ways in. Ctrl-C ends it."""
        from modules.cli.class_hands import ClassHands

        made = class_base.load(name)
        students = [student.id for student in made.spec.students]
        show(source(made), port, browser=browser, hands=ClassHands(name) if admin else None, students=students)


def show(
    class_: Source, port: int, *, browser: bool, hands: Hands | None = None, students: Collection[str] = ()
) -> None:
    """Serve the page until Ctrl-C. hands: who does what is asked on it for these students; none: to look at."""
    from modules.overview import app
    from modules.overview.worker import Worker
    from modules.pages import serve as server
    from modules.pages.guard import Key
    from modules.pages.live import Live

    listener = server.listen(port)
    key, live = Key(listener.getsockname()[1]), Live()
    worker = Worker(hands, lambda line: output.note(f"{datetime.now():%H:%M:%S} {line}")) if hands else None
    with contextlib.ExitStack() as stack:
        stack.callback(listener.close)
        admin = app.Admin(worker, frozenset(students)) if worker else None
        page = stack.enter_context(app.running(class_, key, live, admin))
        print(key.url, flush=True)
        output.note(f"{class_.name}: open the address above in a browser of this machine; Ctrl-C ends it")
        if browser and server.can_open():
            stack.enter_context(server.opened(key, paths.work() / "classes" / class_.name / "page.html"))
        sys.stdout.flush()
        if worker:
            stack.callback(end, worker)
        server.run(listener, page, live)
    output.note(f"{class_.name}: the page has ended")


def end(worker: Worker) -> None:
    """Nothing else is begun; what is under way ends after its step, and at once after another Ctrl-C."""
    if busy := worker.busy:
        output.note(f"under way: {', '.join(busy)}; ending after their step, Ctrl-C ends them at once")
    worker.interrupt()
    with class_watch.stoppable(worker):
        worker.join()


def source(made: Class) -> Source:
    """Where the class is read from; the class file is read once."""
    from modules import pulumi_home
    from modules.classroom import drift_look, labs
    from modules.overview.watch import Source

    engine = class_base.engine()

    def rows() -> tuple[str, Sequence[Row]]:
        # Whose API answers is seen when it is asked for its health.
        return class_status.rows_now(made, engine, ask=False)

    shared = made.spec.tenancy == "namespace"

    def drift(student: str) -> Drift:
        stack = labs.stack_name(made.name, student)
        return drift_look.look(drift_look.where(student, stack, made.spec.shared.stack if shared else ""))

    return Source(
        made.name,
        made.spec.title,
        rows,
        pulumi_home.stack_outputs,
        lambda stack: paths.lab(stack) / "kubeconfig",
        paths.lab(made.spec.shared.stack) / "kubeconfig" if shared else None,
        drift,
    )
