"""Which lab a command is about: a stack's name, and the checked content of its file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modules.base import paths

if TYPE_CHECKING:
    from modules.topology.model import LabSpec

DEFAULT = "dev"
Stack = Annotated[
    str, typer.Argument(envvar="STACKLAB_STACK", metavar="[STACK]", help="The lab: stacks/Pulumi.<stack>.yaml.")
]


def stack_file(stack: str) -> Path:
    """Where the stack's file is, or would be."""
    return paths.checkout() / "stacks" / f"Pulumi.{stack}.yaml"


def load(stack: str) -> LabSpec:
    """The checked content of the stack's file; raises InvalidStackError with all its problems."""
    from modules.known import known
    from modules.topology import parse

    return parse.load(stack_file(stack), known())
