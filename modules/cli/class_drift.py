"""`stacklab class drift`: what students changed, against the lab that their stack declares. Reads only."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modules.base.errors import StacklabError
from modules.cli import class_base, output

if TYPE_CHECKING:
    from modules.classroom.drift import Drift
    from modules.classroom.parse import Class

CHANGED, NOT_SEEN = 1, 2
Page = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write one page that needs nothing else.")]
Whom = Annotated[list[str] | None, typer.Argument(metavar="STUDENT", help="These students; all without any.")]


def add(group: typer.Typer) -> None:
    """Add the command."""

    @group.command()
    def drift(
        name: class_base.ClassName, students: Whom = None, html: Page = None, json: class_base.Json = False
    ) -> None:
        """Show what students added, edited and removed. Exit 1 when somebody did, 2 when one cannot be looked at."""
        from modules.classroom import drift_page, drift_words, lock

        made = class_base.load(name)
        found = _look(made, students or [])
        if html is not None:
            _write(html, drift_page.page(name, found, datetime.now()))
        if json:
            output.as_json(drift_words.as_data(name, found))
        else:
            rows = drift_words.rows(found)
            if rows:
                output.table("", drift_words.HEAD, rows)
                print()
            print(drift_words.verdict(name, found))
            if held := lock.held(name):
                output.note(f"being changed by {held}")
        if any(one.error for one in found):
            raise typer.Exit(NOT_SEEN)
        if any(one.findings for one in found):
            raise typer.Exit(CHANGED)


def _look(made: Class, students: list[str]) -> list[Drift]:
    from modules.classroom import drift_look, labs, make

    ids = make.chosen(",".join(students), [student.id for student in made.spec.students])
    shared = made.spec.shared.stack if made.spec.tenancy == "namespace" else ""
    class_base.surroundings()
    return drift_look.everybody([drift_look.where(one, labs.stack_name(made.name, one), shared) for one in ids])


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StacklabError(f"this file cannot be written: {error.strerror}", where=str(file)) from None
    output.note(f"wrote {file}")
