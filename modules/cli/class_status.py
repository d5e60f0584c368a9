"""`stacklab class status`: every student's lab as Pulumi, the last command and the lab itself know it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import typer

from modules.base import paths, shell
from modules.base.errors import StacklabError
from modules.cli import class_base, output

if TYPE_CHECKING:
    from modules.classroom.engine import Engine
    from modules.classroom.parse import Class
    from modules.classroom.status import Row

HEAD = ("student", "name", "stack", "state", "api", "resources", "since", "")
SIDE_BY_SIDE = 16


def add(group: typer.Typer) -> None:
    """Add the command."""

    @group.command()
    def status(name: class_base.ClassName, json: class_base.Json = False) -> None:
        """Show everybody's lab. Exit 1 when one of them is not up."""
        held, rows = rows_now(class_base.load(name), class_base.engine(), ask=True)
        if json:
            output.as_json({"class": name, "held_by": held, "students": [row.as_dict() for row in rows]})
        else:
            output.table("", HEAD, [_cells(row) for row in rows])
            if held:
                output.note(f"being changed by {held}")
        if any(row.state != "up" for row in rows):
            raise typer.Exit(1)


def rows_now(made: Class, engine: Engine, *, ask: bool) -> tuple[str, list[Row]]:
    """Who is changing the class, and everybody's line; with `ask` their API servers are asked whether they answer."""
    from modules.classroom import lock, outcomes, record, status

    remembered = record.load(made.file)
    there = {
        stack: status.Known(summary.resource_count or 0, summary.last_update)
        for stack, summary in engine.stacks().items()
    }
    ids = [student.id for student in made.spec.students]
    stacks = status.stacks_of(made.name, [*ids, *remembered.slots])
    # A share of a lab has no API server of its own.
    own = [stack for stack in stacks.values() if stack in there and made.spec.tenancy == "cluster"]
    answering = _answering(own) if ask else {}
    held = lock.held(made.name)
    return held, status.rows(made, remembered, there, outcomes.load(made.name), answering, running=bool(held))


def _cells(row: Row) -> list[str]:
    api = {True: "answers", False: "silent", None: ""}[row.answers]
    return [row.id, row.name, row.stack, row.state, api, str(row.resources or ""), row.since, row.note]


def _answering(stacks: list[str]) -> dict[str, bool]:
    """Whose API server answers."""
    from modules import artifacts

    kubectl = artifacts.binary("kubectl")

    def asks(stack: str) -> bool:
        kubeconfig = paths.lab(stack) / "kubeconfig"
        if not kubeconfig.exists():
            return False
        words: list[Any] = [kubectl, "--kubeconfig", kubeconfig, "--request-timeout=4s", "get", "--raw", "/readyz"]
        try:
            return shell.run(words, timeout=10, check=False).code == 0
        except StacklabError:
            return False

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return dict(zip(stacks, pool.map(asks, stacks), strict=True))
