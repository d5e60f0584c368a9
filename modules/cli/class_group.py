"""`stacklab class`: a roster and a template become a stack for every student. Each command is in a file beside this."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modules.base import paths

if TYPE_CHECKING:
    from modules.classroom.engine import Engine
    from modules.classroom.parse import Class

ClassName = Annotated[str, typer.Argument(metavar="CLASS", help="The class: classes/<class>.yaml.")]
Only = Annotated[str, typer.Option("--only", metavar="IDS", help="Only these students: s07,s12.")]
Students = Annotated[list[str], typer.Argument(metavar="STUDENT", help="These students: s07 s12.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]


def class_path(name: str) -> Path:
    """Where the class's file is, or would be."""
    return paths.checkout() / "classes" / f"{name}.yaml"


def load(name: str) -> Class:
    """The checked class; raises InvalidStackError with all problems of its file, roster, template and overrides."""
    from modules.classroom import parse
    from modules.known import known

    return parse.load(class_path(name), paths.checkout() / "stacks", known())


def surroundings() -> None:
    """Everything that `pulumi` needs, for this process and all that it starts."""
    from modules import pulumi_home

    os.environ.update(pulumi_home.prepare())


def engine() -> Engine:
    """Pulumi's engine in this checkout's surroundings."""
    surroundings()
    from modules.classroom.engine import Engine

    return Engine()


def shared_machines(made: Class) -> int:
    """How many machines the lab has that all share; 0 with a lab each."""
    from modules.classroom import parse
    from modules.known import known
    from modules.topology import parse as stacks
    from modules.topology.address import count

    if made.spec.tenancy == "cluster":
        return 0
    file = parse.template_file(made.spec.shared.stack, made.file, paths.checkout() / "stacks")
    spec = stacks.load(file, known())
    return count(spec.masters) + count(spec.workers)


def register(app: typer.Typer) -> None:
    """Add the group."""
    from modules.cli import (
        class_cards,
        class_down,
        class_drift,
        class_measure,
        class_plan,
        class_preview,
        class_reap,
        class_repair,
        class_reset,
        class_revoke,
        class_schema,
        class_serve,
        class_status,
        class_up,
        class_verify,
    )

    group = typer.Typer(help="Rosters: a stack for every student.", no_args_is_help=True, callback=_before)
    for part in (
        class_plan,
        class_preview,
        class_up,
        class_status,
        class_verify,
        class_serve,
        class_drift,
        class_repair,
        class_reset,
        class_cards,
        class_revoke,
        class_down,
        class_reap,
        class_measure,
        class_schema,
    ):
        part.add(group)
    app.add_typer(group, name="class")


def _before() -> None:
    """Rosters: a stack for every student."""
    # gRPC reads this when it is imported, and warns at each program that is started otherwise.
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "false"
