"""`stacklab certs`: until when the certificates of each master are good, and new ones for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from modules.cli import output, stacks
from modules.cli.machines import masters

if TYPE_CHECKING:
    from modules.bootstrap.kubeadm.certificates import Certificate


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def certs(
        stack: stacks.Stack = stacks.DEFAULT,
        renew: Annotated[bool, typer.Option("--renew", help="Make all of them new, master by master.")] = False,
        json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    ) -> None:
        """Show until when certificates are good. --renew makes new ones; the API stays up where masters are several."""
        from modules.bootstrap.kubeadm import certificates

        lab = masters(stack)
        if renew:
            certificates.renew(lab.doors, output.note)
            lab.refresh_kubeconfig()
        found = {remote.login.machine: certificates.read(remote) for remote in lab.doors}
        if json:
            output.as_json({name: [one.data() for one in certs] for name, certs in found.items()})
            return
        rows = [_row(name, one) for name, certs in found.items() for one in certs]
        output.table("", ("master", "certificate", "good until", "days left"), rows)


def _row(master: str, one: Certificate) -> tuple[str, ...]:
    return master, one.name, one.until, str(one.days)
