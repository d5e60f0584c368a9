"""`stacklab class measure`: what a running lab takes of its host, for the table that plans are made with."""

from __future__ import annotations

from typing import Annotated

import typer
import yaml

from modules.base.errors import StacklabError
from modules.cli import output, stacks

IN_CONTAINERS = ("kind", "minikube")


def add(group: typer.Typer) -> None:
    """Add the command."""

    @group.command()
    def measure(
        stack: stacks.Stack = stacks.DEFAULT,
        write: Annotated[bool, typer.Option("--write", help="Put the figures into the table.")] = False,
        json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    ) -> None:
        """Measure a lab in containers that has run for a while: memory, CPU, disk, inotify of machines and addons."""
        from modules import artifacts, pulumi_home
        from modules.classroom import footprint
        from modules.classroom import measure as measuring
        from modules.host import engine, facts

        spec = stacks.load(stack)
        if spec.backend not in IN_CONTAINERS:
            raise StacklabError(
                f"only labs on {' or '.join(IN_CONTAINERS)} can be measured, this one is on {spec.backend}", where=stack
            )
        chosen = engine.choose()
        seen = measuring.look(pulumi_home.stack_outputs(stack), chosen, artifacts.binary("kubectl"))
        figures = measuring.digest(*seen)
        if json:
            output.as_json(figures)
        else:
            print(yaml.safe_dump(figures, default_flow_style=None, sort_keys=False), end="")
        if write:
            host = facts.read()
            on = f"{host.cores} cores, {host.memory / 1024**3:.0f} GiB, cgroup {host.cgroup}, {chosen.name}"
            what = f"{spec.backend}, {len(seen[0])} machines, Kubernetes {spec.kubernetes}, {', '.join(spec.addons)}"
            table = measuring.joined(footprint.table().figures, spec.backend, figures, f"{what}; on {on}")
            footprint.TABLE.write_text(footprint.text(table))
            output.note(f"wrote {footprint.TABLE}")
