"""One virtual machine. Memory, processors and a larger disk are changed in place; one that was shut off is started.

Kernel and base image of a machine that is there stay as they were: the files on its disk belong to that kernel.
"""

from __future__ import annotations

import secrets
from typing import Any, cast

import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules.local.owner import owner_id
from modules.machines.libvirt import boot, domains, names, pools, volumes
from modules.machines.libvirt.connection import connect
from modules.machines.libvirt.lab import marked
from modules.machines.libvirt.spec import Acceleration, DomainSpec
from modules.resources.base import Change, Props, Provider, compare, diff_result, known, number, text
from modules.topology.plan import LabPlan, Machine
from modules.topology.values import format_size

REPLACE_ON = {
    "uri": "libvirt",
    "cluster": "lab",
    "machine": "machine",
    "address": "address",
    "network": "network",
    "disk": "disk",
    "generation": "disk's contents",
}
UPDATE_ON = {"cpus": "processors", "memory": "memory", "acceleration": "acceleration"}
KEPT = ("kernel", "initrd", "cmdline")
INPUTS = ("stack", *REPLACE_ON, *UPDATE_ON, "disk_size", "seed", *KEPT)


class LibvirtDomainProvider(Provider):
    """Outputs: the inputs, the domain's name and state, `started` (changes with each start), the mark of the owner."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        shrinks = (
            olds.get("disk_size")
            and all(olds.get(key) == news.get(key) for key in REPLACE_ON)
            and number(news, "disk_size") < number(olds, "disk_size")
        )
        if not shrinks:
            return CheckResult(news, [])
        sizes = f"{format_size(number(olds, 'disk_size'))} -> {format_size(number(news, 'disk_size'))}"
        hint = f"keep the size, or make the machine anew: pulumi up --replace for the disk of {text(news, 'machine')}"
        return CheckResult(news, [CheckFailure("disk_size", f"a disk cannot shrink: {sizes}; {hint}")])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff_result(f"machine {text(olds, 'machine')}", changes(olds, news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        mark, uri = owner_id(), text(props, "uri")
        with connect(uri) as libvirt:
            spec = _spec(libvirt, uri, props, mark)
            domains.ensure(libvirt, spec, marked(spec.stack, mark))
            domains.grow(libvirt, domains.find(libvirt, spec.name), spec.disk, number(props, "disk_size"))
        id_ = f"lab/{text(props, 'stack')}/{text(props, 'machine')}"
        return CreateResult(id_, _outs(props, domains.RUNNING, mark, _token()))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        uri, mark = text(props, "uri"), text(props, "owner")
        with connect(uri) as libvirt:
            there = domains.ours(libvirt, _name(props), mark)
            if there is None or there.UUIDString() != text(props, "generation"):
                return ReadResult("", {})
            state = domains.state(there)
        outs = _outs(props, state, mark, text(props, "started"))
        return ReadResult(id_, outs, {key: props.get(key) for key in INPUTS})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        uri, mark = text(news, "uri"), text(olds, "owner")
        wanted = {**news, **{key: olds.get(key) for key in KEPT}}
        with connect(uri) as libvirt:
            spec = _spec(libvirt, uri, wanted, mark)
            domains.change(libvirt, spec, marked(spec.stack, mark), number(news, "disk_size"))
        return UpdateResult(_outs(wanted, domains.RUNNING, mark, _token()))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        uri, mark = text(props, "uri"), text(props, "owner")
        with connect(uri) as libvirt:
            domains.remove(libvirt, _name(props), mark)
            if pools.find(libvirt, uri) is not None:
                volumes.remove_all(pools.ensure(libvirt, uri), _console(props, mark))


def changes(olds: Props, news: Props) -> list[Change]:
    """What differs between the machine that is and the one that is wanted, and what each difference takes."""
    found = compare(olds, news, REPLACE_ON)
    for field, title in UPDATE_ON.items():
        if olds.get(field) != news.get(field):
            found.append(Change(field, f"{title} {_show(field, olds)} -> {_show(field, news)}", replace=False))
    if number(news, "disk_size") > number(olds, "disk_size"):
        sizes = f"{format_size(number(olds, 'disk_size'))} -> {format_size(number(news, 'disk_size'))}"
        found.append(Change("disk_size", f"disk {sizes}", replace=False))
    if text(olds, "state") not in ("", domains.RUNNING):
        found.append(Change("state", f"it is {text(olds, 'state')}", replace=False))
    return found


def _show(field: str, props: Props) -> str:
    value = props.get(field)
    if not known(value):
        return "(not known yet)"
    if isinstance(value, float | int):
        return format_size(int(value)) if field == "memory" else str(int(value))
    return str(value)


def _spec(libvirt: Any, uri: str, props: Props, mark: str) -> DomainSpec:
    pool = pools.ensure(libvirt, uri)
    console = _console(props, mark)
    if volumes.find(pool, console) is None:
        volumes.write(libvirt, pool, console, b"\n")
    return DomainSpec(
        stack=text(props, "stack"),
        name=_name(props),
        uuid=text(props, "generation"),
        cpus=number(props, "cpus"),
        memory=number(props, "memory"),
        acceleration=cast(Acceleration, text(props, "acceleration")),
        network=text(props, "network"),
        mac=names.mac(text(props, "address")),
        disk=boot.path(libvirt, uri, text(props, "disk")),
        seed=boot.path(libvirt, uri, text(props, "seed")),
        console=boot.path(libvirt, uri, console),
        boot=boot.direct(libvirt, uri, text(props, "kernel"), text(props, "initrd"), text(props, "cmdline")),
    )


def _name(props: Props) -> str:
    return names.domain(text(props, "cluster"), text(props, "machine"))


def _console(props: Props, mark: str) -> str:
    return names.volume(text(props, "cluster"), mark, text(props, "machine"), "console")


def _token() -> str:
    return secrets.token_hex(4)


def _outs(props: Props, state: str, mark: str, started: str) -> dict[str, Any]:
    return {
        **{key: props.get(key) for key in INPUTS},
        "name": _name(props),
        "console": _console(props, mark),
        "state": state,
        "started": started,
        "owner": mark,
    }


class LibvirtDomain(Resource, module="stacklab", name="LibvirtDomain"):
    """A machine of the plan; kernel, initrd and cmdline are "" where the image has a boot loader."""

    name: pulumi.Output[str]
    console: pulumi.Output[str]
    generation: pulumi.Output[str]
    started: pulumi.Output[str]
    disk_size: pulumi.Output[int]

    def __init__(
        self,
        resource_name: str,
        plan: LabPlan,
        machine: Machine,
        *,
        uri: pulumi.Input[str],
        network: pulumi.Input[str],
        disk: pulumi.Input[str],
        generation: pulumi.Input[str],
        seed: pulumi.Input[str],
        acceleration: pulumi.Input[str],
        kernel: pulumi.Input[str],
        initrd: pulumi.Input[str],
        cmdline: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "stack": plan.stack,
            "cluster": plan.cluster,
            "machine": machine.name,
            "address": machine.address,
            "cpus": machine.cpus,
            "memory": machine.memory,
            "disk_size": machine.disk,
            "uri": uri,
            "network": network,
            "disk": disk,
            "generation": generation,
            "seed": seed,
            "acceleration": acceleration,
            "kernel": kernel,
            "initrd": initrd,
            "cmdline": cmdline,
            **dict.fromkeys(("name", "console", "state", "started", "owner")),
        }
        super().__init__(LibvirtDomainProvider(), resource_name, props, opts)
