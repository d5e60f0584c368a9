"""From names of shared volumes to what machines boot: paths on libvirt's host."""

from __future__ import annotations

from typing import Any

from modules.base.errors import StacklabError
from modules.machines.libvirt import image, pools, volumes
from modules.machines.libvirt.spec import DirectBoot


def path(connection: Any, uri: str, name: str) -> str:
    """Where a volume is; an error when it is gone."""
    pool = pools.ensure(connection, uri)
    volume = volumes.find(pool, name)
    if volume is None:
        raise StacklabError(
            "this volume is gone from the pool",
            where=name,
            command=f"virsh -c '{uri}' vol-list stacklab",
            hint="pulumi up --refresh",
        )
    return str(volume.path())


def base(connection: Any, uri: str, name: str) -> tuple[Any, str]:
    """The pool and the path of the base image."""
    return pools.ensure(connection, uri), path(connection, uri, name)


def direct(connection: Any, uri: str, kernel: str, initrd: str, cmdline: str) -> DirectBoot | None:
    """Kernel and first files; None where the image has a boot loader."""
    if not kernel:
        return None
    return DirectBoot(path(connection, uri, kernel), path(connection, uri, initrd), cmdline)


def format_of(connection: Any, pool: Any, name: str) -> str:
    """qcow2 or raw, by the first bytes of the volume."""
    return "qcow2" if volumes.read_start(connection, pool, name, 4) == image.QCOW2 else "raw"
