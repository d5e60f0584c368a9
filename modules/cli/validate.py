"""`stacklab validate`: every problem of a stack file at once, without touching anything."""

from __future__ import annotations

import typer

from modules.cli import output, stacks


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def validate(stack: stacks.Stack = stacks.DEFAULT) -> None:
        """Check the stack file and print the machines it plans."""
        from modules.topology.plan import plan

        lab = plan(stacks.load(stack), stack)
        for warning in lab.warnings:
            output.note(f"warning: {warning}")
        rows = [[m.name, m.role, m.address] for m in lab.machines]
        output.table(f"{stack}: Kubernetes {lab.kubernetes} on {lab.backend}", ("machine", "role", "address"), rows)
