"""A lab's place on one libvirt: noted before anything is made there, swept when everything else is gone.

Where nobody runs libvirtd, a daemon of our own is started for the labs of this checkout, and ended with the last one.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules.host.libvirt import place
from modules.local.owner import owner_id
from modules.machines.libvirt import daemon, lab
from modules.resources.base import Provider, compare, diff_result, known, text
from modules.topology.plan import LabPlan

FIELDS = {"uri": "libvirt", "cluster": "name"}
INPUTS = ("stack", *FIELDS)


class LibvirtHostProvider(Provider):
    """Outputs: the inputs and the mark of the owner."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return CheckResult(news, [])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff_result(f"libvirt of {text(olds, 'stack')}", compare(olds, news, FIELDS))

    def create(self, props: dict[str, Any]) -> CreateResult:
        place.register(text(props, "stack"), text(props, "uri"))
        # It comes up while the rest is prepared; whoever needs it first waits for it.
        daemon.resolve(text(props, "uri"), start=True)
        return CreateResult(f"lab/{text(props, 'stack')}/libvirt", _outs(props, owner_id()))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Noting it again costs nothing, and a daemon that is down is started by whoever needs it."""
        place.register(text(props, "stack"), text(props, "uri"))
        return ReadResult(id_, _outs(props, text(props, "owner")), {key: props.get(key) for key in INPUTS})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(_outs(news, text(olds, "owner")))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        if not known(props):
            return
        lab.sweep(text(props, "uri"), text(props, "stack"), text(props, "cluster"), text(props, "owner"))
        lab.leave(text(props, "uri"), text(props, "stack"))


def _outs(props: dict[str, Any], mark: str) -> dict[str, Any]:
    return {**{key: props.get(key) for key in INPUTS}, "owner": mark}


class LibvirtHost(Resource, module="stacklab", name="LibvirtHost"):
    """The libvirt that has the lab's machines."""

    uri: pulumi.Output[str]

    def __init__(self, resource_name: str, plan: LabPlan, opts: pulumi.ResourceOptions | None = None) -> None:
        props = {"stack": plan.stack, "uri": plan.libvirt.uri, "cluster": plan.cluster, "owner": None}
        super().__init__(LibvirtHostProvider(), resource_name, props, opts)
