"""`stacklab verify`: asks a running lab everything a user would, and says what does not answer."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from modules.cli import output, stacks

if TYPE_CHECKING:
    from modules.verify.context import Context
    from modules.verify.finding import Check, Finding
    from modules.verify.lab import Lab

FAILED = 1
USUAL = 90.0  # seconds
EMULATED = 900.0  # a pod can take two minutes to start, and all of a lab come at once after `stacklab start`


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def verify(
        stack: stacks.Stack = stacks.DEFAULT,
        json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
        timeout: Annotated[
            float | None,
            typer.Option(
                help="Seconds that a check may wait for the lab to become so.",
                min=1,
                show_default="90, of emulated machines 900",
            ),
        ] = None,
    ) -> None:
        """Reach every app by every exposure; ask DNS, the pod network, policies, metrics. Exit 1 when one fails."""
        signal.signal(signal.SIGTERM, _interrupt)  # as after Ctrl-C, what was made for the run is removed
        started = time.monotonic()
        lab, findings = look_at(stack, timeout=timeout)
        if json:
            from modules.verify.report import as_data

            output.as_json(as_data(lab, findings))
        else:
            show(lab, findings, time.monotonic() - started)
        if not all(finding.ok for finding in findings):
            raise typer.Exit(FAILED)


def look_at(stack: str, *, timeout: float | None = None) -> tuple[Lab, list[Finding]]:
    """The lab of a stack, and what its checks found; what is under way is shown on a terminal."""
    from modules.verify import run

    context, asked = questions(stack)
    timeout = timeout or _patience(stack, context.lab.backend)
    with Console(stderr=True).status("") as status:
        report = _progress(status.update, [check.name for check in asked])
        return context.lab, run.verify(context, asked, timeout=timeout, on_finding=report)


def _patience(stack: str, backend: str) -> float:
    from modules.base.errors import StacklabError
    from modules.cli import lifecycle

    if backend != "libvirt":
        return USUAL
    try:
        return EMULATED if lifecycle.virtual_machines(stack).emulated() else USUAL
    except StacklabError:  # the cluster may answer where its libvirt does not
        return EMULATED


def questions(stack: str) -> tuple[Context, list[Check]]:
    """The lab of a stack with all that checks need, and the checks."""
    import addons
    from modules import artifacts, pulumi_home
    from modules.manifests.images import baked
    from modules.verify import checks
    from modules.verify.apps import apps_of
    from modules.verify.context import Context
    from modules.verify.kubectl import Kubectl
    from modules.verify.lab import read
    from modules.verify.probes import Probes

    spec = stacks.load(stack)
    facts = addons.facts()
    provides = frozenset().union(*(facts[name].provides for name in spec.addons))
    lab = read(stack, pulumi_home.stack_outputs(stack), apps_of(spec.apps), provides, spec.backend)
    kubectl = Kubectl(artifacts.binary("kubectl"), lab.kubeconfig)
    return Context(lab, kubectl, Probes(kubectl, baked("docker.io/stacklab/echo"))), checks.of(lab)


def show(lab: Lab, findings: list[Finding], seconds: float) -> None:
    """Both tables, and how it went."""
    from modules.verify import report

    output.table("", report.CHECK_COLUMNS, report.check_rows(findings))
    print()
    output.table("", report.ADDRESS_COLUMNS, report.address_rows(lab))
    print()
    print("\n".join(report.last_lines(lab, findings, seconds)))


def _progress(update: Callable[[str], None], names: list[str]) -> Callable[[Finding], None]:
    waiting = list(names)
    update(f"asking {len(names)} questions")

    def report(finding: Finding) -> None:
        waiting.remove(finding.name)
        update(f"{len(names) - len(waiting)} of {len(names)} answered, waiting for {', '.join(waiting[:4])}")

    return report


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
