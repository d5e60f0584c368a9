"""The storage pool that all labs on one libvirt share: a folder of its own, removed with the last lab's volumes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import libvirt

from modules.base.errors import OwnershipError, StacklabError
from modules.host.libvirt.mark import POOL, POOL_UUID
from modules.machines.libvirt.connection import lookup, told, unless
from modules.machines.libvirt.locks import alone
from modules.machines.libvirt.xml import storage

# Where libvirt keeps images: SELinux and AppArmor let machines read them there.
SYSTEM_FOLDER = "/var/lib/libvirt/images/stacklab"


def folder(uri: str) -> str:
    """The pool's folder on libvirt's host."""
    if "/session" not in uri:
        return SYSTEM_FOLDER
    if "+ssh" in uri:
        raise StacklabError(
            "the home folder of the user there is not known from here",
            where=uri,
            hint="name qemu+ssh://.../system in libvirt.uri of the stack file",
        )
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return f"{data}/libvirt/images/stacklab"


def ensure(connection: Any, uri: str) -> Any:
    """The pool, made and started where needed."""
    pool = find(connection, uri)
    if pool is not None and pool.isActive():
        return pool
    with (
        alone("libvirt-pool"),
        told("the storage pool cannot be made", where=uri, command=f"virsh -c '{uri}' pool-dumpxml {POOL}"),
    ):
        pool = find(connection, uri)
        if pool is None:
            # Two labs that begin at once: defining it twice is the same as once, for it has a fixed UUID.
            pool = connection.storagePoolDefineXML(storage.pool(folder(uri)), 0)
        if not pool.isActive():
            with unless(libvirt.VIR_ERR_OPERATION_INVALID):  # another checkout's lab has just started it
                pool.build(0)
                pool.create(0)
        if not pool.autostart():
            pool.setAutostart(1)  # a host that starts anew has the labs' disks again
        return pool


def find(connection: Any, uri: str) -> Any | None:
    """Our pool; None when there is none. A pool of that name that is somebody else's is an error."""
    pool = lookup(connection.storagePoolLookupByName, POOL, libvirt.VIR_ERR_NO_STORAGE_POOL)
    if pool is not None and pool.UUIDString() != POOL_UUID:
        raise OwnershipError(
            f"the storage pool {POOL} is there already and was made outside stacklab; it stays as it is",
            where=uri,
            command=f"virsh -c '{uri}' pool-dumpxml {POOL}",
            hint="rename it where it was made, or use another libvirt host",
        )
    return pool


def remove_if_empty(connection: Any, uri: str) -> None:
    """Remove the pool once no lab has a volume in it. Its folder goes only when it is really empty."""
    pool = find(connection, uri)
    if pool is None:
        return
    with (
        alone("libvirt-pool"),
        told("the storage pool cannot be removed", where=uri, command=f"virsh -c '{uri}' vol-list {POOL}"),
    ):
        if not pool.isActive():
            pool.create(0)
        pool.refresh(0)
        if pool.numOfVolumes():
            return
        pool.destroy()
        try:
            pool.delete(0)
        except libvirt.libvirtError:  # another lab has just begun in it, or somebody put something there
            pool.create(0)
            return
        pool.undefine()
