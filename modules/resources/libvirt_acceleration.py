"""Whether the lab's machines run under KVM: found out once, by a kernel that boots under it or does not."""

from __future__ import annotations

from typing import Any, cast

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules.local.owner import owner_id
from modules.machines.libvirt import acceleration, boot
from modules.machines.libvirt.connection import connect
from modules.resources.base import Props, Provider, compare, diff_result, tell, text
from modules.topology.plan import LabPlan

UPDATE_ON = {"uri": "libvirt", "wanted": "acceleration"}
INPUTS = ("stack", "cluster", *UPDATE_ON, "base", "kernel", "initrd")


class LibvirtAccelerationProvider(Provider):
    """Outputs: the inputs and what was found: kvm or tcg. Nothing stays on the host."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return CheckResult(news, [])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Another image is no reason to try again."""
        return diff_result("acceleration", compare(olds, news, UPDATE_ON), by_update=True)

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(f"lab/{text(props, 'stack')}/acceleration", _found(props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        return ReadResult(id_, {**_inputs(props), "found": text(props, "found")}, _inputs(props))

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(_found(news))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Nothing was made."""


def _found(props: Props) -> dict[str, Any]:
    uri = text(props, "uri")
    with connect(uri) as libvirt:
        pool, base = boot.base(libvirt, uri, text(props, "base"))
        found = acceleration.find_out(
            libvirt,
            uri,
            pool,
            cast(acceleration.Wanted, text(props, "wanted")),
            boot=boot.direct(libvirt, uri, text(props, "kernel"), text(props, "initrd"), ""),
            disk=base,
            disk_format=boot.format_of(libvirt, pool, text(props, "base")),
            cluster=text(props, "cluster"),
            owner=owner_id(),
            tell=tell,
        )
    return {**_inputs(props), "found": found}


def _inputs(props: Props) -> dict[str, Any]:
    return {key: props.get(key) for key in INPUTS}


class LibvirtAcceleration(Resource, module="stacklab", name="LibvirtAcceleration"):
    """kernel and initrd are "" where the image has a boot loader of its own."""

    found: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        plan: LabPlan,
        *,
        uri: pulumi.Input[str],
        base: pulumi.Input[str],
        kernel: pulumi.Input[str],
        initrd: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "stack": plan.stack,
            "cluster": plan.cluster,
            "uri": uri,
            "wanted": plan.libvirt.acceleration,
            "base": base,
            "kernel": kernel,
            "initrd": initrd,
            "found": None,
        }
        super().__init__(LibvirtAccelerationProvider(), resource_name, props, opts)
