"""Which lab a command is about: a stack name, its file, its checked content."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modules.base import paths
from modules.base.errors import StacklabError

if TYPE_CHECKING:
    from modules.topology.model import LabSpec

DEFAULT = "dev"
Stack = Annotated[
    str, typer.Argument(envvar="STACKLAB_STACK", metavar="[STACK]", help="The lab: stacks/Pulumi.<stack>.yaml.")
]


def stack_file(stack: str) -> Path:
    """The stack's file; when there is none, an error that names those there are."""
    folder = paths.checkout() / "stacks"
    path = folder / f"Pulumi.{stack}.yaml"
    if path.is_file() and "/" not in stack:
        return path
    names = sorted(p.name.removeprefix("Pulumi.").removesuffix(".yaml") for p in folder.glob("Pulumi.*.yaml"))
    near = difflib.get_close_matches(stack, names, n=1)
    raise StacklabError(
        f"no stack file {path}",
        hint=(f"did you mean {near[0]!r}? " if near else "") + f"there are: {', '.join(names) or 'none yet'}",
    )


def load(stack: str) -> LabSpec:
    """The checked content of the stack's file; raises InvalidStackError with all its problems."""
    from modules.known import known
    from modules.topology import parse

    return parse.load(stack_file(stack), known())
