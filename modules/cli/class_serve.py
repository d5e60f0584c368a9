"""`stacklab class serve`: the teacher's page, on this machine only, until Ctrl-C."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from modules.base import paths
from modules.cli import class_group, class_status, output

if TYPE_CHECKING:
    from modules.classroom.status import Row
    from modules.overview.watch import Source


def add(group: typer.Typer) -> None:
    """Add the command."""

    @group.command()
    def serve(
        name: class_group.ClassName,
        port: Annotated[int, typer.Option(help="The page's port; 0 takes a free one.", min=0, max=65535)] = 0,
        browser: Annotated[bool, typer.Option(help="Show the page in your browser.")] = True,
    ) -> None:
        """Show the class live in the browser: everybody's lab, its health, figures, ways in. Ctrl-C ends it."""
        show(source(name), port, browser=browser)


def show(class_: Source, port: int, *, browser: bool) -> None:
    """Serve the page until Ctrl-C."""
    from modules.overview import app
    from modules.pages import serve as server
    from modules.pages.guard import Key
    from modules.pages.live import Live

    listener = server.listen(port)
    key, live = Key(listener.getsockname()[1]), Live()
    with contextlib.ExitStack() as stack:
        stack.callback(listener.close)
        page = stack.enter_context(app.running(class_, key, live))
        print(key.url, flush=True)
        output.note(f"{class_.name}: open the address above in a browser of this machine; Ctrl-C ends it")
        if browser and server.can_open():
            stack.enter_context(server.opened(key, paths.work() / "classes" / class_.name / "page.html"))
        sys.stdout.flush()
        server.run(listener, page, live)
    output.note(f"{class_.name}: the page has ended")


def source(name: str) -> Source:
    """Where the class is read from; the class file is read once."""
    from modules import pulumi_home
    from modules.overview.watch import Source

    made, engine = class_group.load(name), class_group.engine()

    def rows() -> tuple[str, Sequence[Row]]:
        # Whose API answers is seen when it is asked for its health.
        return class_status.rows_now(made, engine, ask=False)

    shared = made.spec.tenancy == "namespace"
    return Source(
        made.name,
        made.spec.title,
        rows,
        pulumi_home.stack_outputs,
        lambda stack: paths.lab(stack) / "kubeconfig",
        paths.lab(made.spec.shared.stack) / "kubeconfig" if shared else None,
    )
