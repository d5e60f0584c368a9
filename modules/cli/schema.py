"""`stacklab schema`: the JSON Schema of stack files, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modules.base import paths
from modules.base.errors import StacklabError
from modules.cli import output


def default_file() -> Path:
    """Where stack files look for it: their first line names it."""
    return paths.checkout() / "stacks" / "lab.schema.json"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def schema(
        write: Annotated[bool, typer.Option("--write", help="Write stacks/lab.schema.json.")] = False,
    ) -> None:
        """Print the JSON Schema of stack files."""
        from modules.known import known
        from modules.topology.schema import schema_text

        text = schema_text(known())
        if not write:
            print(text, end="")
            return
        file = default_file()
        try:
            file.write_text(text)
        except OSError as error:
            raise StacklabError(f"cannot be written: {error.strerror}", where=str(file)) from None
        output.note(f"wrote {file}")
