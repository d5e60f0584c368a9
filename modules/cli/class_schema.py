"""`stacklab class schema`: the JSON Schema of class files, for editors."""

from __future__ import annotations

from typing import Annotated

import typer

from modules.base import paths
from modules.cli import output


def add(group: typer.Typer) -> None:
    """Add the command."""

    @group.command()
    def schema(
        write: Annotated[bool, typer.Option("--write", help="Write classes/class.schema.json.")] = False,
    ) -> None:
        """Print the JSON Schema of class files."""
        from modules.classroom.schema import schema_text

        text = schema_text()
        if not write:
            print(text, end="")
            return
        file = paths.checkout() / "classes" / "class.schema.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        output.note(f"wrote {file}")
