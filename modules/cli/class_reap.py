"""`stacklab class reap`: classes whose last day has passed are removed, with their cards. Made for cron."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from modules.base import paths
from modules.base.errors import StacklabError
from modules.cli import class_base, class_down, class_watch, output

if TYPE_CHECKING:
    from modules.classroom.parse import Class
    from modules.classroom.reap import Verdict

HEAD = ("class", "result", "")
LEFT, CANNOT = 1, 2


@dataclass(frozen=True)
class Reaped:
    """One class. result: kept, nothing to do, would go, removed, left, failed."""

    name: str
    result: str
    note: str


def add(group: typer.Typer) -> None:
    """Add the command."""

    @group.command()
    def reap(
        names: Annotated[list[str] | None, typer.Argument(metavar="[CLASS]...", help="classes/<class>.yaml.")] = None,
        every: Annotated[bool, typer.Option("--all", help="All classes of this checkout.")] = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and leave it.")] = False,
        json: class_base.Json = False,
    ) -> None:
        """Remove classes that have expired. Exit 1 when something of one is left, 2 when one could not be looked at."""
        if bool(names) == every:
            raise StacklabError("name classes, or say --all", hint="stacklab class reap --all --dry-run")
        chosen = everybody() if every else list(dict.fromkeys(names or ()))
        today = date.today()
        rows: list[Reaped] = []
        for name in chosen:
            rows.append(_one(name, today, dry_run=dry_run))
            if rows[-1].note == INTERRUPTED:
                break
        if json:
            output.as_json({"classes": [asdict(row) for row in rows]})
        else:
            output.table("", HEAD, [[row.name, row.result, row.note] for row in rows])
        if status := status_of(rows):
            raise typer.Exit(status)


INTERRUPTED = "interrupted"


def everybody() -> list[str]:
    """All classes that have a file."""
    files = sorted((paths.checkout() / "classes").glob("*.yaml"))
    return [file.stem for file in files if not file.name.endswith(".places.yaml")]


def status_of(rows: list[Reaped]) -> int:
    """The exit status of them all."""
    if any(row.note == INTERRUPTED for row in rows):
        return class_watch.INTERRUPTED
    if any(row.result == "failed" for row in rows):
        return CANNOT
    return LEFT if any(row.result == "left" for row in rows) else 0


def _one(name: str, today: date, *, dry_run: bool) -> Reaped:
    """One class; what fails is in the row, so that the others have their turn."""
    from modules.classroom import lock, reap

    try:
        made = class_base.load(name)
        found = reap.verdict(name, made.spec.expires, today)
        if found.due != "over":
            return Reaped(name, "kept", found.why)
        if dry_run:
            return _preview(made, found)
        with lock.hold(name):
            return _remove(made, found)
    except StacklabError as error:
        return Reaped(name, "failed", error.in_one_line())


def _there(made: Class) -> tuple[list[str], list[str]]:
    """Stacks of labs, and who has a folder of cards."""
    from modules.classroom import folder, record

    stacks = class_down.labs_of(made, record.load(made.file), set(class_base.engine().stacks()))
    return list(stacks.values()), folder.holders(made.file)


def _preview(made: Class, found: Verdict) -> Reaped:
    labs, cards = _there(made)
    if not labs and not cards:
        return Reaped(made.name, "nothing to do", found.why)
    return Reaped(made.name, "would go", f"{found.why}: {_counted(labs, cards)}")


def _remove(made: Class, found: Verdict) -> Reaped:
    from modules.classroom import folder

    labs, cards = _there(made)
    if not labs and not cards:
        return Reaped(made.name, "nothing to do", found.why)
    if labs:
        gone = class_down.take_down(made)
        if gone.session.interrupted:
            return Reaped(made.name, "left", INTERRUPTED)
        if not gone.clean:
            bad = [one.id for one in gone.found.values() if one.state != "done"]
            rest = [f"{left['kind']} {left['name']}" for left in gone.left]
            return Reaped(made.name, "left", f"{found.why}: {', '.join([*bad, *rest])}")
    # Also of those whose lab went some other way.
    for one in cards:
        folder.remove(made.file, one)
    folder.bind(made.file, made.name, ())
    return Reaped(made.name, "removed", f"{found.why}: {_counted(labs, cards)}")


def _counted(labs: list[str], cards: list[str]) -> str:
    parts = [(len(labs), "lab"), (len(cards), "card")]
    return " and ".join(f"{number} {word}{'' if number == 1 else 's'}" for number, word in parts if number)
