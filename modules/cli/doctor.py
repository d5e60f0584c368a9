"""`stacklab doctor`: what this host can run, and for each thing missing the one command that mends it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from modules.cli import output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modules.host.checks import Check

CANNOT = 1


def rows(checks: Sequence[Check]) -> list[list[str]]:
    """One row a check; backends for which it means the same share the words."""
    found = []
    for check in checks:
        words: dict[str, list[str]] = {}
        for backend, meaning in check.means.items():
            words.setdefault(meaning, []).append(backend)
        means = "; ".join(f"{', '.join(names)}: {meaning}" for meaning, names in words.items())
        found.append([check.status, check.id, check.found, means, check.mend])
    return found


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def doctor(
        backend: Annotated[str, typer.Option(help="The backend that the exit status is about.")] = "kind",
        afresh: Annotated[
            bool, typer.Option("--afresh", help="Try the container engines again, whatever is remembered.")
        ] = False,
        json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    ) -> None:
        """Say what this host can run, and what mends the rest. Exit 1 when the backend cannot run here."""
        from modules.host import doctor as host_doctor  # reads the host: not for --help
        from modules.host.checks import BACKENDS

        if backend not in BACKENDS:
            raise typer.BadParameter(f"{backend!r} is none of {', '.join(BACKENDS)}", param_hint="--backend")
        checks = host_doctor.examine(afresh=afresh)
        kept_from = host_doctor.backends(checks)
        if json:
            data = {name: {"runs": not because, "because": list(because)} for name, because in kept_from.items()}
            output.as_json({"backends": data, "checks": [asdict(check) for check in checks]})
        else:
            output.table("", ["status", "check", "found", "means", "mend with"], rows(checks))
            print()
            for name, because in kept_from.items():
                print(f"{name}: {'cannot run here: ' + ', '.join(because) if because else 'can run here'}")
        if kept_from[backend]:
            raise typer.Exit(CANNOT)
