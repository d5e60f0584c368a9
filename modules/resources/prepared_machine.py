"""One machine made fit for kubeadm: every step looked at, what differs is done. For VMs and for machines that exist.

A preview says what would run and why, and changes nothing. A machine that exists is given back as it was when it
leaves the lab; a VM goes as a whole.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules.artifacts.machine.payload import ensure_payload, payload
from modules.base.errors import ArtifactError, CommandError, StacklabError
from modules.bootstrap import engine, facts, fingerprint, hosts, reset
from modules.bootstrap.engine import Found
from modules.bootstrap.facts import Facts
from modules.bootstrap.steps import Wish, steps
from modules.machines.remote import Remote, StrangerError, UnreachableError
from modules.resources import nodes
from modules.resources.base import Change, Props, Provider, diff_result, known, tell, text
from modules.topology.plan import LabPlan, Machine

# Property -> its name for people.
UPDATE_ON = {
    "machine": "how it is reached",
    "kubernetes": "Kubernetes",
    "entries": "machines in its hosts file",
    "mirrors": "mirrors",
    "repository": "registry of Kubernetes' own images",
    "proxy": "kube-proxy mode",
    "pods": "pods' range",
    "masters": "number of masters",
    "vip": "address in front of the masters",
    "etcd": "member of etcd",
    "addons": "addons",
}
INPUTS = ("stack", "backend", "generation", *UPDATE_ON)
# Machines that a destroy may leave as they are when they do not answer: names with commas between, or all.
LEAVE = "STACKLAB_LEAVE"


class PreparedMachineProvider(Provider):
    """Outputs: the inputs, facts (what others must know of the machine), missing (what a refresh found)."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """`preview` is only for here: what would be done is told, when the machine is there to be asked."""
        inputs = {key: value for key, value in news.items() if key != "preview"}
        changed = any(olds.get(key) != news.get(key) for key in INPUTS)
        if news.get("preview") and changed and known([inputs.get(key) for key in INPUTS]):
            for line in dry_run(inputs):
                tell(line)
        return CheckResult(inputs, [])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff_result(f"machine {_name(olds)}", changes(olds, news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(f"lab/{text(props, 'stack')}/{_name(props)}/prepared", _prepare(props))

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(_prepare(news))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What is not as it should be any more is kept as `missing`, and the next update does it.

        One that does not answer may be back tomorrow; that another one answers is for the user to decide about.
        """
        inputs = {key: props.get(key) for key in INPUTS}
        outs: dict[str, Any] = {**inputs, "facts": props.get("facts"), "missing": []}
        try:
            seen = look(nodes.remote_of(props["machine"]), props)
        except StrangerError:
            raise
        except (CommandError, ArtifactError) as error:
            tell(f"{_name(props)}: {error.in_one_line()}; taken to be as it was")
            return ReadResult(id_, outs, inputs)
        return ReadResult(id_, {**outs, "missing": engine.describe(seen)}, inputs)

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        if text(props, "backend") != "ssh":
            return  # it goes with its disk
        stack, remote = text(props, "stack"), nodes.remote_of(props["machine"])
        try:
            reset.reset(remote, stack, tell)
            stayed = fingerprint.compare(remote, stack)
        except UnreachableError as error:
            name = _name(props)
            if left_alone(name, os.environ.get(LEAVE, "")):
                tell(f"{name}: {error.in_one_line()}; left as it is, as {LEAVE} says")
                return
            error.what = f"what the lab left there cannot be taken back: {error.what}"
            error.hint = f"bring it back and run this again; or leave it as it is: {LEAVE}={name} pulumi destroy"
            raise
        fingerprint.forget(stack, _name(props))
        for line in stayed:
            tell(f"warning: {_name(props)} is not quite as it was before the lab: {line}")


def changes(olds: Props, news: Props) -> list[Change]:
    """What differs; another machine is prepared from the start. Pure."""
    found = []
    if known(news.get("generation")) and olds.get("generation") != news.get("generation"):
        found.append(Change("generation", "it is another machine", replace=True))
    for field, title in UPDATE_ON.items():
        old, new = olds.get(field), news.get(field)
        if known(new) and (old or None) != (new or None):
            words = f"{title} {old} -> {new}" if isinstance(new, str) and old and new else f"{title}: changed"
            found.append(Change(field, words, replace=False))
    found += [Change("missing", str(line), replace=False) for line in olds.get("missing") or ()]
    return found


def dry_run(props: Props) -> list[str]:
    """What would run and why, a line for each; what cannot be told is said."""
    name = _name(props)
    try:
        lines = engine.describe(look(nodes.remote_of(props["machine"]), props))
    except UnreachableError:
        return [f"{name}: does not answer yet; what has to be done is seen when it is there"]
    except StacklabError as error:
        return [f"{name}: what has to be done cannot be told: {error.in_one_line()}"]
    if not lines:
        return [f"{name}: is prepared already"]
    return [f"{name}: would be done: {line}" for line in lines]


def look(remote: Remote, props: Props) -> tuple[Found, ...]:
    """All steps at once; changes nothing."""
    return engine.look(remote, steps(wish_of(props)))


def left_alone(name: str, said: str) -> bool:
    """Whether the user named the machine. Pure."""
    return bool({name, "all"} & {word.strip() for word in said.split(",")})


def _prepare(props: Props) -> dict[str, Any]:
    remote, stack = nodes.remote_of(props["machine"]), text(props, "stack")
    wish = wish_of(props, made=True)
    if text(props, "backend") == "ssh":
        fingerprint.save(remote, stack)
    engine.apply(remote, steps(wish), tell)
    seen = facts.parse(remote.run(facts.PROBE, timeout=60).stdout)
    return {**{key: props.get(key) for key in INPUTS}, "facts": facts_of(seen), "missing": []}


def facts_of(seen: Facts) -> dict[str, Any]:
    """What others must know of the machine. Pure."""
    return {
        "os": seen.pretty,
        "family": seen.family,
        "kernel": seen.kernel,
        "container": seen.container,
        "cgroup_v1": seen.limits.cgroup_v1,
        "no_oom_adjust": seen.limits.no_oom_adjust,
        "emulated": seen.limits.emulated,
    }


def wish_of(props: Props, *, made: bool = False) -> Wish:
    """The typed inputs. made: archives of images are put together now when they are not there."""
    machine = props["machine"]
    kubernetes = text(props, "kubernetes")
    return Wish(
        stack=text(props, "stack"),
        machine=text(machine, "name"),
        role="master" if machine["role"] == "master" else "worker",
        entries=tuple((str(one["address"]), tuple(map(str, one["names"]))) for one in props["entries"]),
        payload=(ensure_payload if made else payload)(kubernetes, addons=tuple(map(str, props.get("addons") or ()))),
        pods=text(props, "pods"),
        proxy=text(props, "proxy"),
        mirrors={str(k): str(v) for k, v in (props.get("mirrors") or {}).items()},
        repository=text(props, "repository"),
        masters=int(props.get("masters") or 1),
        vip=bool(props.get("vip")),
        etcd=bool(props.get("etcd")),
    )


def inputs_of(plan: LabPlan, machine: Machine) -> dict[str, Any]:
    """The inputs of a plan's machine but for its generation."""
    lines = hosts.entries(plan, machine)
    mirrors: Mapping[str, str] = plan.mirrors.registries
    return {
        "stack": plan.stack,
        "backend": plan.backend,
        "machine": nodes.door_props(plan, machine),
        "kubernetes": plan.kubernetes,
        "entries": [{"address": address, "names": list(names)} for address, names in lines],
        "mirrors": dict(mirrors),
        "repository": nodes.repository(plan),
        "proxy": plan.network.proxy,
        "pods": plan.network.pods,
        "masters": sum(1 for m in plan.machines if m.role == "master"),
        "vip": bool(plan.network.endpoint),
        "etcd": machine.name in plan.etcd,
        "addons": sorted(plan.addons),
    }


def _name(props: Props) -> str:
    return text(props.get("machine") or {}, "name")


class PreparedMachine(Resource, module="stacklab", name="PreparedMachine"):
    """A machine of a plan, ready for kubeadm. generation: the machine's own, another one is another machine."""

    generation: pulumi.Output[str]
    facts: pulumi.Output[dict[str, Any]]

    def __init__(
        self,
        resource_name: str,
        plan: LabPlan,
        *,
        machine: Machine,
        generation: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            **inputs_of(plan, machine),
            "generation": generation,
            "preview": pulumi.runtime.is_dry_run(),
            **dict.fromkeys(("facts", "missing")),
        }
        super().__init__(PreparedMachineProvider(), resource_name, props, opts)
