"""The disk of one machine on libvirt: what differs from the shared base image.

A fresh disk is a fresh machine, so its `generation` is the machine's. Another base image is no reason for another disk:
the machines that are there keep theirs. The machine itself enlarges it (libvirt_domain).
"""

from __future__ import annotations

import uuid
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules.local.owner import owner_id
from modules.machines.libvirt import boot, domains, names, pools, volumes
from modules.machines.libvirt.connection import connect
from modules.resources.base import Props, Provider, compare, diff_result, number, text
from modules.topology.plan import LabPlan, Machine

REPLACE_ON = {"uri": "libvirt", "cluster": "lab", "machine": "machine", "address": "address"}
INPUTS = ("stack", *REPLACE_ON, "base", "size")


class LibvirtDiskProvider(Provider):
    """Outputs: the inputs, the volume's name, the generation and the mark of the owner."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return CheckResult(news, [])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff_result(f"disk of {text(olds, 'machine')}", compare(olds, news, REPLACE_ON))

    def create(self, props: dict[str, Any]) -> CreateResult:
        mark, uri, machine = owner_id(), text(props, "uri"), text(props, "machine")
        name = names.volume(text(props, "cluster"), mark, machine, "disk")
        with connect(uri) as libvirt:
            # A machine that a killed run left stands on a disk that goes now.
            domains.remove(libvirt, names.domain(text(props, "cluster"), machine), mark)
            pool, base = boot.base(libvirt, uri, text(props, "base"))
            format_ = boot.format_of(libvirt, pool, text(props, "base"))
            volumes.make_disk(pool, name, number(props, "size"), base, format_)
        return CreateResult(f"lab/{text(props, 'stack')}/{machine}/disk", _outs(props, name, str(uuid.uuid4()), mark))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        uri = text(props, "uri")
        with connect(uri) as libvirt:
            pool = pools.find(libvirt, uri)
            if pool is None or volumes.find(pools.ensure(libvirt, uri), text(props, "volume")) is None:
                return ReadResult("", {})
        outs = _outs(props, text(props, "volume"), text(props, "generation"), text(props, "owner"))
        return ReadResult(id_, outs, {key: props.get(key) for key in INPUTS})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(_outs(news, text(olds, "volume"), text(olds, "generation"), text(olds, "owner")))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        uri = text(props, "uri")
        with connect(uri) as libvirt:
            domains.remove(libvirt, names.domain(text(props, "cluster"), text(props, "machine")), text(props, "owner"))
            if pools.find(libvirt, uri) is not None:
                pool = pools.ensure(libvirt, uri)
                volumes.remove(pool, text(props, "volume"))
                volumes.tidy(libvirt, pool)  # an older base that only this disk still stood on


def _outs(props: Props, volume: str, generation: str, mark: str) -> dict[str, Any]:
    return {
        **{key: props.get(key) for key in INPUTS},
        "volume": volume,
        "generation": generation,
        "owner": mark,
    }


class LibvirtDisk(Resource, module="stacklab", name="LibvirtDisk"):
    """`base` is the name of the shared volume below it."""

    volume: pulumi.Output[str]
    generation: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        plan: LabPlan,
        machine: Machine,
        *,
        uri: pulumi.Input[str],
        base: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "stack": plan.stack,
            "cluster": plan.cluster,
            "machine": machine.name,
            "address": machine.address,
            "uri": uri,
            "base": base,
            "size": machine.disk,
            "volume": None,
            "generation": None,
            "owner": None,
        }
        super().__init__(LibvirtDiskProvider(), resource_name, props, opts)
