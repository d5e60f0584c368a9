"""What cloud-init is told when a machine boots for the first time, as a small volume. Holds the machine's host key.

Written anew when it changes; a machine that is there looks at it once only, so it is no reason for another machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules.base.errors import StacklabError
from modules.local.owner import owner_id
from modules.machines.libvirt import names, pools, seed, volumes
from modules.machines.libvirt.connection import connect
from modules.machines.libvirt.seed import Seed
from modules.resources.base import Change, Props, Provider, compare, diff_result, known, text
from modules.topology.plan import LabPlan, Machine

REPLACE_ON = {"uri": "libvirt", "cluster": "lab", "machine": "machine"}
UPDATE_ON = {"address": "address", "authorized": "authorized key", "host_public": "host key"}
# The path of the private key, never the key: whoever writes the seed reads it then.
INPUTS = ("stack", *REPLACE_ON, *UPDATE_ON, "host_key_file")


class LibvirtSeedProvider(Provider):
    """Outputs: the inputs, the volume's name and the mark of the owner."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return CheckResult(news, [])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff_result(f"seed of {text(olds, 'machine')}", changes(olds, news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(f"lab/{text(props, 'stack')}/{text(props, 'machine')}/seed", _write(props, owner_id()))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        uri = text(props, "uri")
        with connect(uri) as libvirt:
            pool = pools.find(libvirt, uri)
            if pool is None or volumes.find(pools.ensure(libvirt, uri), text(props, "volume")) is None:
                return ReadResult("", {})
        outs = _outs(props, text(props, "volume"), text(props, "owner"))
        return ReadResult(id_, outs, {key: props.get(key) for key in INPUTS})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(_write(news, text(olds, "owner")))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        uri = text(props, "uri")
        with connect(uri) as libvirt:
            if pools.find(libvirt, uri) is not None:
                volumes.remove(pools.ensure(libvirt, uri), text(props, "volume"))


def changes(olds: Props, news: Props) -> list[Change]:
    """What differs between the seed that is and the one that is wanted."""
    found = compare(olds, news, REPLACE_ON)
    for field, title in UPDATE_ON.items():
        if known(news.get(field)) and olds.get(field) != news.get(field):
            found.append(Change(field, f"another {title}", replace=False))
    return found


def _write(props: Props, mark: str) -> dict[str, Any]:
    uri, machine = text(props, "uri"), text(props, "machine")
    name = names.volume(text(props, "cluster"), mark, machine, "seed")
    try:
        host_key = Path(text(props, "host_key_file")).read_text()
    except OSError as error:
        raise StacklabError(
            f"the machine's host key cannot be read: {error.strerror}",
            where=text(props, "host_key_file"),
            hint="pulumi up --refresh: it brings missing key files back",
        ) from None
    wanted = Seed(
        machine=machine,
        instance=f"{text(props, 'cluster')}-{machine}",
        mac=names.mac(text(props, "address")),
        authorized=text(props, "authorized").strip(),
        host_key=host_key,
        host_public=text(props, "host_public").strip(),
    )
    with connect(uri) as libvirt:
        volumes.write(libvirt, pools.ensure(libvirt, uri), name, seed.iso(wanted))
    return _outs(props, name, mark)


def _outs(props: Props, volume: str, mark: str) -> dict[str, Any]:
    return {**{key: props.get(key) for key in INPUTS}, "volume": volume, "owner": mark}


class LibvirtSeed(Resource, module="stacklab", name="LibvirtSeed"):
    """authorized and host_public are public keys."""

    volume: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        plan: LabPlan,
        machine: Machine,
        *,
        uri: pulumi.Input[str],
        authorized: pulumi.Input[str],
        host_public: pulumi.Input[str],
        host_key_file: Path,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "stack": plan.stack,
            "cluster": plan.cluster,
            "machine": machine.name,
            "address": machine.address,
            "uri": uri,
            "authorized": authorized,
            "host_public": host_public,
            "host_key_file": str(host_key_file),
            "volume": None,
            "owner": None,
        }
        super().__init__(LibvirtSeedProvider(), resource_name, props, opts)
