"""What every `stacklab class` command starts from: its arguments, the checked class, Pulumi's engine."""

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
