"""The machines of a lab that exist already: looked at, all of them and at once, before anything on them is changed.

Nothing of them is made here; how each is prepared is PreparedMachine's business. The lab's known_hosts and SSH
configuration live and die with this resource.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules.base.errors import HostError, StacklabError
from modules.bootstrap import checks
from modules.bootstrap.checks import Answer, Problem, Target, Wanted
from modules.bootstrap.checks.table import summary
from modules.local.owner import owner_id
from modules.machines import keys
from modules.resources import nodes
from modules.resources.base import Change, Props, Provider, diff_result, failures, known, tell, text
from modules.topology.plan import LabPlan

INPUTS = ("stack", "machines", "proxy", "vip", "etcd")


class SshMachinesProvider(Provider):
    """Outputs: the inputs, generations (machine -> its machine-id)."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """In a preview too: every problem of every machine, before anything is changed."""
        if not known(news) or all(olds.get(key) == news.get(key) for key in INPUTS):
            return CheckResult(news, [])
        try:
            look(news)
        except StacklabError as error:
            return CheckResult(news, failures("machines", [error]))
        return CheckResult(news, [])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff_result(f"machines of {text(olds, 'stack')}", changes(olds, news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(f"lab/{text(props, 'stack')}/machines", _outs(props, look(props, quiet=True)))

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(_outs(news, look(news, quiet=True)))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """A machine that does not answer is taken to be as it was."""
        answers = _ask(props)
        generations = dict(props.get("generations") or {})
        for name, answer in answers.items():
            if answer.facts is None:
                tell(f"{name}: {answer.error}; taken to be as it was")
            else:
                generations[name] = answer.facts.id
        inputs = {key: props.get(key) for key in INPUTS}
        return ReadResult(id_, {**inputs, "generations": generations}, inputs)

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        keys.remove(text(props, "stack"))


def look(props: Props, *, quiet: bool = False) -> Mapping[str, Answer]:
    """All machines' answers; an error that holds all problems when there is one. Notes are told."""
    answers = _ask(props)
    found = checks.judge(targets(props), answers, wanted(props))
    problems = [one for one in found if not one.note]
    if not quiet:
        for note in found:
            if note.note:
                tell(f"{note.machine}: {note.what}")
    if problems:
        raise refusal(problems, text(props, "stack"))
    return answers


def refusal(problems: Sequence[Problem], stack: str) -> HostError:
    """All of them in one table."""
    return HostError(f"{summary(problems)}\n{checks.table(problems)}", where=f"stack {stack}")


def targets(props: Props) -> list[Target]:
    """The machines, typed."""
    return [
        Target(text(m, "name"), "master" if m["role"] == "master" else "worker", text(m, "address"))
        for m in props["machines"]
    ]


def wanted(props: Props) -> Wanted:
    """What the lab asks of them."""
    return Wanted(
        stack=text(props, "stack"),
        owner=owner_id(),
        arch=platform.machine(),
        proxy=text(props, "proxy"),
        vip=text(props, "vip"),
        etcd=tuple(str(name) for name in props.get("etcd") or ()),
    )


def changes(olds: Props, news: Props) -> list[Change]:
    """Nothing of a machine is made here, so nothing is made anew."""
    was, now = ({text(m, "name"): m for m in props.get("machines") or ()} for props in (olds, news))
    found = [Change("machines", f"{name} goes", replace=False) for name in was if name not in now]
    found += [Change("machines", f"{name} is new", replace=False) for name in now if name not in was]
    for name in now:
        if name in was and was[name] != now[name]:
            found.append(Change("machines", f"{name} is reached or used in another way", replace=False))
    for key, title in (("proxy", "kube-proxy mode"), ("vip", "address in front of the masters"), ("etcd", "etcd")):
        if (olds.get(key) or None) != (news.get(key) or None):
            found.append(Change(key, f"{title} changes", replace=False))
    return found


def _ask(props: Props) -> Mapping[str, Answer]:
    logins = [nodes.remote_of(m).login for m in props["machines"]]
    keys.prepare(text(props, "stack"), logins)
    return checks.ask(logins)


def _outs(props: Props, answers: Mapping[str, Answer]) -> dict[str, Any]:
    generations = {name: answer.facts.id for name, answer in answers.items() if answer.facts}
    return {**{key: props.get(key) for key in INPUTS}, "generations": generations}


class SshMachines(Resource, module="stacklab", name="SshMachines"):
    """All machines of a lab on the ssh backend."""

    generations: pulumi.Output[dict[str, str]]

    def __init__(self, resource_name: str, plan: LabPlan, opts: pulumi.ResourceOptions | None = None) -> None:
        props: dict[str, Any] = {
            "stack": plan.stack,
            "machines": [nodes.door_props(plan, machine) for machine in plan.machines],
            "proxy": plan.network.proxy,
            "vip": plan.network.endpoint or "",
            "etcd": list(plan.etcd),
            "generations": None,
        }
        super().__init__(SshMachinesProvider(), resource_name, props, opts)
