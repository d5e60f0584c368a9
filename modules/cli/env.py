"""`stacklab env`: shell lines after which plain `pulumi up` works in this shell."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Annotated

import typer

from modules.cli import output


def exports(env: Mapping[str, str]) -> list[str]:
    """One `export` line a variable, quoted for any POSIX shell."""
    return [f"export {name}={shlex.quote(value)}" for name, value in env.items()]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def env(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
        """Print what a shell needs for plain `pulumi up`: eval "$(stacklab env)"."""
        from modules import pulumi_home  # reaches the artifact store: not for --help

        found = pulumi_home.prepare()
        if json:
            output.as_json(found)
        else:
            print("\n".join(exports(found)))
