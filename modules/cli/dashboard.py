"""`stacklab dashboard`: a live page of a lab, on this machine only, until Ctrl-C."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from modules.cli import lifecycle, output, stacks

if TYPE_CHECKING:
    from modules.dashboard.watch import Source


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def dashboard(
        stack: stacks.Stack = stacks.DEFAULT,
        port: Annotated[int, typer.Option(help="The page's port; 0 takes a free one.", min=0, max=65535)] = 0,
        browser: Annotated[bool, typer.Option(help="Show the page in your browser.")] = True,
        json: Annotated[bool, typer.Option("--json", help="Print one look as JSON, and end.")] = False,
    ) -> None:
        """Show a lab live in the browser: machines, pods, figures, events, every way in. Ctrl-C ends it."""
        lab = source(stack)
        if json:
            from modules.dashboard import report, watch

            output.as_json(report.as_data(watch.once(lab)))
            return
        show(lab, port, browser=browser)


def show(lab: Source, port: int, *, browser: bool) -> None:
    """Serve the page until Ctrl-C."""
    from modules.base import paths
    from modules.dashboard import app
    from modules.pages import serve
    from modules.pages.guard import Key
    from modules.pages.live import Live

    listener = serve.listen(port)
    key, live = Key(listener.getsockname()[1]), Live()
    with contextlib.ExitStack() as stack:
        stack.callback(listener.close)
        page = stack.enter_context(app.running(lab, key, live))
        print(key.url, flush=True)
        output.note(f"{lab.stack}: open the address above in a browser of this machine; Ctrl-C ends it")
        if browser and serve.can_open():
            stack.enter_context(serve.opened(key, paths.lab(lab.stack) / "dashboard.html"))
        sys.stdout.flush()
        serve.run(listener, page, live)
    output.note(f"{lab.stack}: the dashboard has ended")


def source(stack: str) -> Source:
    """Where the lab of a stack is read from."""
    from modules import artifacts, pulumi_home
    from modules.dashboard.watch import Source
    from modules.verify import lab
    from modules.verify.apps import apps_of
    from modules.verify.kubectl import Kubectl

    def read() -> lab.Lab:
        return lab.read(stack, pulumi_home.stack_outputs(stack), apps_of(stacks.load(stack).apps))

    def states() -> Mapping[str, str]:
        return lifecycle.of(stack).states()

    spec = stacks.load(stack)
    return Source(stack, spec.backend, read, states, lambda file: Kubectl(artifacts.binary("kubectl"), file))
