"""A file that machines boot (disk image, kernel, first files) as a volume that all labs on one libvirt share.

Brought once for its contents; gone with the last lab that uses it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules.base.errors import ArtifactError
from modules.local.owner import owner_id
from modules.machines.libvirt import image, names, pools, volumes
from modules.machines.libvirt.connection import connect
from modules.machines.libvirt.image import Image
from modules.resources.base import Props, Provider, compare, diff_result, text
from modules.topology.plan import LabPlan

REPLACE_ON = {"uri": "libvirt", "name": "contents", "cluster": "lab"}
INPUTS = ("stack", *REPLACE_ON, "role", "source", "url", "checksum", "kubernetes", "addons")


class LibvirtImageProvider(Provider):
    """Outputs: the inputs and the mark of the owner. `source` may lie elsewhere from one run to the next."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return CheckResult(news, [])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff_result(f"volume {text(olds, 'name')}", compare(olds, news, REPLACE_ON))

    def create(self, props: dict[str, Any]) -> CreateResult:
        mark, uri = owner_id(), text(props, "uri")
        source = _file(props)
        with connect(uri) as libvirt:
            pool = pools.ensure(libvirt, uri)
            volumes.bring(libvirt, pool, text(props, "name"), source, cluster=text(props, "cluster"), owner=mark)
        return CreateResult(f"lab/{text(props, 'stack')}/image/{text(props, 'role')}", _outs(props, mark))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        with connect(text(props, "uri")) as libvirt:
            pool = pools.find(libvirt, text(props, "uri"))
            if pool is None or volumes.find(pools.ensure(libvirt, text(props, "uri")), text(props, "name")) is None:
                return ReadResult("", {})
        return ReadResult(id_, _outs(props, text(props, "owner")), {key: props.get(key) for key in INPUTS})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(_outs(news, text(olds, "owner")))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        uri = text(props, "uri")
        with connect(uri) as libvirt:
            if pools.find(libvirt, uri) is not None:
                volumes.no_longer_used(
                    libvirt,
                    pools.ensure(libvirt, uri),
                    cluster=text(props, "cluster"),
                    owner=text(props, "owner"),
                    name=text(props, "name"),
                )


def _file(props: Props) -> Path:
    """The file, brought or built first where it has to be."""
    if text(props, "url"):
        return image.bring(text(props, "url"), text(props, "checksum"))
    if text(props, "kubernetes"):
        made = image.build(text(props, "kubernetes"), [str(name) for name in props.get("addons") or ()])
        if names.shared(made.key, text(props, "role")) != text(props, "name"):
            raise ArtifactError(
                f"the artifacts make the machine image {made.key} now, and another one was planned",
                where=text(props, "source"),
                hint="pulumi up again",
            )
    return Path(text(props, "source"))


def _outs(props: Props, mark: str) -> dict[str, Any]:
    return {**{key: props.get(key) for key in INPUTS}, "owner": mark}


class LibvirtImage(Resource, module="stacklab", name="LibvirtImage"):
    """One file of an image; role is base, kernel or initrd."""

    name: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        plan: LabPlan,
        *,
        uri: pulumi.Input[str],
        role: str,
        boots: Image,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "stack": plan.stack,
            "cluster": plan.cluster,
            "uri": uri,
            "role": role,
            "name": names.shared(boots.key, role),
            "source": str(boots.files[role]),
            "url": boots.url,
            "checksum": boots.checksum,
            "kubernetes": boots.kubernetes,
            "addons": list(boots.addons),
            "owner": None,
        }
        super().__init__(LibvirtImageProvider(), resource_name, props, opts)
