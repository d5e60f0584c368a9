"""`stacklab etcd backup` and `stacklab etcd restore`: everything that a cluster knows, in one file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from modules.cli import output, stacks
from modules.cli.machines import masters

Named = Annotated[str, typer.Argument(metavar="STACK", help="The lab: stacks/Pulumi.<stack>.yaml.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Back up and restore a cluster's etcd.", no_args_is_help=True)
    app.add_typer(group, name="etcd")

    @group.command()
    def backup(
        stack: stacks.Stack = stacks.DEFAULT,
        file: Annotated[
            Path | None, typer.Option("-o", "--output", help="Where to; a name with the time by default.")
        ] = None,
    ) -> None:
        """Write a snapshot to a file that only you can read, and its digest beside it. It holds every Secret."""
        from modules.bootstrap.etcd import backup as work

        lab = masters(stack)
        target = file or Path(f"{stack}-etcd-{datetime.now(UTC):%Y%m%d-%H%M%S}.db")
        digest = work.save(work.lab_of(lab.plan), target, output.note)
        print(target)
        output.note(f"sha256 {digest}, also in {target.name}.sha256")

    @group.command()
    def restore(
        stack: Named,
        file: Annotated[Path, typer.Argument(help="What `stacklab etcd backup` wrote.")],
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    ) -> None:
        """Put a snapshot back on all members. The API stops meanwhile; what came after the snapshot is lost."""
        from modules.bootstrap.etcd import backup as work

        lab = masters(stack)
        work.check(file)
        if not yes:
            typer.confirm(f"Everything in the cluster of {stack} goes back to {file}. Go on?", abort=True)
        work.restore(work.lab_of(lab.plan), file, output.note)
        print(f"{stack}: restored from {file}")
