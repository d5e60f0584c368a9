"""`stacklab class verify`: asks everybody's lab what `stacklab verify` asks one."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from modules.base.errors import StacklabError
from modules.cli import class_base, output
from modules.cli import verify as one_lab

if TYPE_CHECKING:
    from modules.classroom.parse import Class
    from modules.verify.finding import Finding

HEAD = ("student", "stack", "result", "seconds", "")


@dataclass(frozen=True)
class Checked:
    """One student's lab: what its checks found, or why they could not be asked."""

    id: str
    stack: str
    findings: tuple[Finding, ...]
    error: str
    seconds: float

    @property
    def ok(self) -> bool:
        return not self.error and all(finding.ok for finding in self.findings)


def add(group: typer.Typer) -> None:
    """Add the command."""

    @group.command()
    def verify(
        name: class_base.ClassName,
        only: class_base.Only = "",
        json: class_base.Json = False,
        timeout: Annotated[float, typer.Option(help="Seconds that a check may wait to become so.", min=1)] = 90,
    ) -> None:
        """Reach every app of every student; DNS, the pods' network, policies, metrics. Exit 1 when one fails."""
        from modules.classroom import footprint, labs, make, surroundings
        from modules.host import facts

        made = class_base.load(name)
        ids = make.chosen(only, [student.id for student in made.spec.students])
        side_by_side = 2 * surroundings.at_a_time(made.spec.hosts[0], made.spec, facts.read(), footprint.table())
        started = time.monotonic()
        look = check if made.spec.tenancy == "cluster" else check_share(made)
        with ThreadPoolExecutor(side_by_side) as pool:
            found = list(pool.map(lambda one: look(one, labs.stack_name(name, one), timeout), ids))
        if json:
            output.as_json(
                {"class": name, "ok": all(one.ok for one in found), "students": [_data(one) for one in found]}
            )
        else:
            output.table("", HEAD, [_cells(one) for one in found])
            good = sum(one.ok for one in found)
            print(f"\n{name}: {good} of {len(found)} labs ok in {time.monotonic() - started:.1f} s")
        if not all(one.ok for one in found):
            raise typer.Exit(1)


def check(student: str, stack: str, timeout: float) -> Checked:
    """All checks of one student's lab."""
    from modules.verify import run

    started = time.monotonic()
    findings: list[Finding] = []
    error = ""
    try:
        context, asked = one_lab.questions(stack)
        findings = run.verify(context, asked, timeout=timeout)
    except StacklabError as problem:
        error = problem.in_one_line()
    return Checked(student, stack, tuple(findings), error, time.monotonic() - started)


def check_share(made: Class) -> Callable[[str, str, float], Checked]:
    """A share of a lab has one way in: the apps by the student's own host names.

    These are in the class file, and the address is the shared lab's: asking each stack would cost a program each.
    """
    from modules import pulumi_home
    from modules.base.probe import Answer, wait_for
    from modules.classroom.namespace import ingress_address, own_apps
    from modules.topology.model import Ingress
    from modules.verify import web
    from modules.verify.finding import Finding

    there = class_base.engine().stacks()
    address = ingress_address(pulumi_home.stack_outputs(made.spec.shared.stack).get("exposures"))

    def look(student: str, stack: str, timeout: float) -> Checked:
        started = time.monotonic()
        findings: list[Finding] = []
        error = "" if stack in there and there[stack].resource_count else f"no lab of this name is up: {stack}"
        apps = own_apps(made.lab(student).spec.apps, student) if not error else ()
        ways = [(app.name, str(e.host)) for app in apps for e in app.expose if isinstance(e, Ingress)]
        try:
            for app, host in ways:
                begun, name = time.monotonic(), f"{app}/ingress"

                def ask(host: str = host) -> Answer[str]:
                    reply = web.ask(f"http://{address}/", host=host)
                    answers = 0 < reply.status < 500 and reply.status != 404
                    return Answer(f"{host} answers at http://{address}/" if answers else None, reply.shown)

                seen = wait_for(name, ask, timeout=timeout, where=f"stack {stack}")
                findings.append(Finding(name, "the ingress answers", True, seen, time.monotonic() - begun))
        except StacklabError as problem:
            error = problem.in_one_line()
        return Checked(student, stack, tuple(findings), error, time.monotonic() - started)

    return look


def said(one: Checked) -> str:
    """What is wrong, a line each; else how much was asked."""
    bad = [f"{finding.name}: {finding.evidence}" for finding in one.findings if not finding.ok]
    return one.error or "\n".join(bad) or f"{len(one.findings)} checks"


def _cells(one: Checked) -> list[str]:
    return [one.id, one.stack, "ok" if one.ok else "failed", f"{one.seconds:.1f}", said(one)]


def _data(one: Checked) -> dict[str, object]:
    checks = [finding.as_dict() for finding in one.findings]
    return {"id": one.id, "stack": one.stack, "ok": one.ok, "error": one.error, "checks": checks}
