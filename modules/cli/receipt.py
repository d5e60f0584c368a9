"""`stacklab receipt`: what the host has now that it had not before `up`. Empty after `destroy`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from modules.cli import output, stacks

if TYPE_CHECKING:
    from modules.host.receipt import Receipt

LEFT = 1


def notes(found: Receipt) -> list[str]:
    """What is worth saying beside the table."""
    lines = []
    if not found.fingerprint:
        lines.append("no fingerprint from before `up`: only what carries the lab's mark can be told")
    if any(one.kind in ("container", "domain") for one in found.leftovers):
        lines.append(f"the lab is still there; `make down STACK={found.stack}` removes it")
    if found.residue:
        kinds = ", ".join(sorted({one.kind for one in found.residue}))
        lines.append(f"{len(found.residue)} things of the container engine itself, for all its containers: {kinds}")
    if found.images:
        lines.append(f"{len(found.images)} images are kept; they make the next `up` quick")
    if found.others:
        lines.append(f"{len(found.others)} things are new and not this lab's")
    lines += [f"not looked at: {what}" for what in found.unread]
    return lines


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def receipt(
        stack: stacks.Stack = stacks.DEFAULT,
        save: Annotated[bool, typer.Option("--save", help="Keep the fingerprint of the host as it is now.")] = False,
        every: Annotated[bool, typer.Option("--all", help="List also what is new and does not count.")] = False,
        json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    ) -> None:
        """List what a lab left on the host, each with the command that removes it. Exit 1 when something is left."""
        from modules.host import receipt as host_receipt  # reads the host: not for --help

        if save:
            output.note(f"kept in {host_receipt.save(stack)}")
            return
        found = host_receipt.receipt(stack)
        if json:
            output.as_json(asdict(found))
        else:
            _show(found, every=every)
        if found.leftovers:
            raise typer.Exit(LEFT)


def _show(found: Receipt, *, every: bool) -> None:
    rows = [[one.kind, one.name, one.command] for one in found.leftovers]
    if rows:
        output.table("", ["left behind", "name", "removed by"], rows)
    print(f"{found.stack}: {len(rows)} things left" if rows else f"{found.stack}: nothing is left")
    for line in notes(found):
        output.note(f"  {line}")
    if every:
        told = [("engine", found.residue), ("image", found.images), ("other", found.others)]
        more = [[why, one.kind, one.name, one.command] for why, part in told for one in part]
        if more:
            output.table("", ["not counted", "kind", "name", "removed by"], more)
