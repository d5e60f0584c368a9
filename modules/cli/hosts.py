"""`stacklab hosts`: the names of a running lab as lines of a hosts file; writes and removes them on request only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from modules.base.errors import StacklabError
from modules.cli import hosts_block, output, stacks

SYSTEM = Path("/etc/hosts")


def lines(outputs: Mapping[str, Any]) -> list[str]:
    """The machines' names, then those of the ingresses: address first, each line once. Pure."""
    machines = [(m["address"], m["name"]) for m in outputs.get("machines") or ()]
    sites = [(e["address"], e["host"]) for e in outputs.get("exposures") or () if e["kind"] == "ingress"]
    named = dict.fromkeys([*machines, *sorted(sites, key=str)])
    return [f"{address}\t{name}" for address, name in named if address and name]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def hosts(
        stack: stacks.Stack = stacks.DEFAULT,
        write: Annotated[bool, typer.Option("--write", help="Put the lines into the file, in a marked block.")] = False,
        remove: Annotated[bool, typer.Option("--remove", help="Take the lab's block out of the file.")] = False,
        file: Annotated[Path, typer.Option(help="The hosts file.")] = SYSTEM,
    ) -> None:
        """Print the lines that make the lab's names known on this machine."""
        if write and remove:
            raise typer.BadParameter("--write and --remove exclude each other")
        if remove:
            _change(file, stack, None)
            return
        from modules import pulumi_home

        found = lines(pulumi_home.stack_outputs(stack))
        if write:
            _change(file, stack, found)
        else:
            print("\n".join(found))


def _change(file: Path, stack: str, found: Sequence[str] | None) -> None:
    try:
        content = file.read_bytes() if file.exists() else b""
    except OSError as error:
        raise StacklabError(f"cannot be read: {error.strerror}", where=str(file)) from None
    changed = hosts_block.remove(content, stack) if found is None else hosts_block.insert(content, stack, found)
    if changed == content:
        output.note(f"{file}: nothing to change")
        return
    hosts_block.save(file, changed)
    output.note(f"{file}: block of {stack} {'removed' if found is None else f'has {len(found)} lines'}")
