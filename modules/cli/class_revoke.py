"""`stacklab class revoke`: what was handed out becomes useless, and that is proven before it is removed here."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Annotated

import typer

from modules.cli import class_base, class_cards, output

HEAD = ("student", "name", "result", "")


def add(group: typer.Typer) -> None:
    """Add the command."""

    @group.command()
    def revoke(
        name: class_base.ClassName,
        students: Annotated[list[str], typer.Argument(metavar="STUDENT...", help="Whose: s07 s12.")],
        json: class_base.Json = False,
    ) -> None:
        """Make students' credentials useless; `class cards` gives new ones. Exit 1 when that is not proven."""
        from modules.classroom import folder, lock, make, record

        with lock.hold(name):
            made = class_base.load(name)
            roster = [student.id for student in made.spec.students]
            # Those who left the roster may hold credentials still.
            known = dict.fromkeys([*roster, *record.load(made.file).slots, *folder.holders(made.file)])
            ids = list(dict.fromkeys(make.chosen(",".join(students), known)))
            with ThreadPoolExecutor(class_cards.SIDE_BY_SIDE) as pool:
                rows = list(pool.map(class_cards.desk(made).revoke, ids))
            folder.bind(made.file, made.spec.title or name, roster)
        if json:
            output.as_json({"class": name, "students": [asdict(row) for row in rows]})
        else:
            output.table("", HEAD, [[r.id, r.name, "revoked" if r.ok else "failed", r.note] for r in rows])
        if not all(row.ok for row in rows):
            raise typer.Exit(1)
