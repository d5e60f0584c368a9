"""`stacklab class`: a roster and a template become a stack for every student. Each command is in a file beside this."""

from __future__ import annotations

import os

import typer

from modules.cli import (
    class_cards,
    class_down,
    class_drift,
    class_measure,
    class_plan,
    class_preview,
    class_reap,
    class_repair,
    class_reset,
    class_revoke,
    class_schema,
    class_serve,
    class_status,
    class_up,
    class_verify,
)


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Rosters: a stack for every student.", no_args_is_help=True, callback=_before)
    for part in (
        class_plan,
        class_preview,
        class_up,
        class_status,
        class_verify,
        class_serve,
        class_drift,
        class_repair,
        class_reset,
        class_cards,
        class_revoke,
        class_down,
        class_reap,
        class_measure,
        class_schema,
    ):
        part.add(group)
    app.add_typer(group, name="class")


def _before() -> None:
    """Rosters: a stack for every student."""
    # gRPC reads this when it is imported, and warns at each program that is started otherwise.
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "false"
