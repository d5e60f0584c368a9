"""What verify must know of the stack file's apps. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from modules.topology import app as topology
from modules.verify.lab import App


def apps_of(apps: Sequence[topology.App]) -> list[App]:
    """The apps of a checked stack file."""
    return [
        App(
            name=app.name,
            workload=app.workload,
            replicas=None if app.workload == "daemonset" else app.replicas,
            sticky=app.affinity == "ClientIP",
            echo=is_echo(app.image) and not app.command and not app.args,
            volume=app.volume is not None,
            completions=app.completions,
        )
        for app in apps
    ]


def is_echo(image: str) -> bool:
    """Whether an image is the project's own, under any registry and tag."""
    name = image.partition("@")[0]
    head, _, last = name.rpartition("/")
    last = last.partition(":")[0]
    return f"{head}/{last}" in (topology.ECHO, f"docker.io/{topology.ECHO}")
