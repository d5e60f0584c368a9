"""`stacklab class cards`: a page to print and a folder with credentials for everybody whose lab is up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modules.cli import class_base, output

if TYPE_CHECKING:
    from modules.classroom.cards import Desk
    from modules.classroom.parse import Class

HEAD = ("student", "name", "result", "address", "")
SIDE_BY_SIDE = 8
SHOWN = 12


def add(group: typer.Typer) -> None:
    """Add the command."""

    @group.command()
    def cards(
        name: class_base.ClassName,
        only: class_base.Only = "",
        pdf: Annotated[bool, typer.Option("--pdf", help="All cards as one PDF, too.")] = False,
        json: class_base.Json = False,
    ) -> None:
        """Make everybody's card and credentials in classes/<class>.cards. Exit 1 when somebody gets none."""
        from modules.classroom import card_pdf, folder, lock, make, reap

        if pdf:
            card_pdf.require()
        with lock.hold(name):
            made = class_base.load(name)
            reap.require_open(name, made.spec.expires, date.today())
            ids = make.chosen(only, [student.id for student in made.spec.students])
            students = [student for student in made.spec.students if student.id in ids]
            with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
                rows = list(pool.map(desk(made).give, students))
            order = [student.id for student in made.spec.students]
            page = folder.bind(made.file, made.spec.title or name, order)
            printed = _as_pdf(page) if pdf and page else None
        good = sum(row.ok for row in rows)
        if json:
            files = {"page": str(page or ""), **({"pdf": str(printed or "")} if pdf else {})}
            output.as_json({"class": name, **files, "students": [asdict(row) for row in rows]})
        else:
            shown = [[r.id, r.name, "ok" if r.ok else "failed", r.url, r.note] for r in rows]
            output.table("", HEAD, shown)
            print(f"\n{name}: {good} of {len(rows)} cards" + (f", to print: {printed or page}" if page else ""))
        if good != len(rows):
            raise typer.Exit(1)


def _as_pdf(page: Path) -> Path:
    """The PDF beside the page; what it cannot show is told."""
    from modules.classroom import card_pdf, folder

    data, missing = card_pdf.pdf(page.read_text(encoding="utf-8"))
    target = page.with_name(folder.PDF)
    folder.write(target, data)
    if missing:
        shown = " ".join(missing[:SHOWN]) + (" ..." if len(missing) > SHOWN else "")
        output.note(
            f"no font of this machine has {shown}: install one (apt-get install fonts-noto), then run this again"
        )
    return target


def desk(made: Class) -> Desk:
    """Who hands out credentials of this class, and takes them back."""
    from modules import artifacts, pulumi_home
    from modules.classroom.cards import Desk

    return Desk(made, artifacts.binary("kubectl"), pulumi_home.stack_outputs)
