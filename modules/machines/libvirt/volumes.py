"""Volumes of the pool: shared ones brought once and kept while a lab uses them, disks on top of them, small images.

A shared volume has two kinds of empty volumes beside it: `.used-by.<lab>` for each lab, and `.whole` once it has been
brought completely, for an upload may be killed at any byte.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import libvirt

from modules.base import probe
from modules.base.errors import ProbeTimeoutError, StacklabError
from modules.host.libvirt.mark import POOL
from modules.machines.libvirt import names
from modules.machines.libvirt.connection import described, lookup, told, unless
from modules.machines.libvirt.locks import alone
from modules.machines.libvirt.xml import storage

PIECE = 1024 * 1024
STALLED = 15.0  # an upload of somebody else that brings nothing in this time has been killed


def find(pool: Any, name: str) -> Any | None:
    """The volume; None when there is none."""
    return lookup(pool.storageVolLookupByName, name, libvirt.VIR_ERR_NO_STORAGE_VOL)


def bring(connection: Any, pool: Any, name: str, source: Path, *, cluster: str, owner: str) -> str:
    """Have the contents of a local file as a shared volume; its path on libvirt's host. Brought only once."""
    _touch(pool, names.use(name, cluster, owner))
    with alone(name):
        others = [n for n in _names(pool) if n.startswith(names.uses(name)) and not n.endswith(f".{owner}")]
        if others:
            _wait_for_somebody(pool, name)
        there = find(pool, name)
        if there is not None and find(pool, names.whole(name)) is None:
            there.delete(0)
            there = None
        if there is None:
            there = _upload_file(connection, pool, name, source)
            _touch(pool, names.whole(name))
        return str(there.path())


def make_disk(pool: Any, name: str, size: int, base: str, base_format: str) -> str:
    """A disk on top of a base, always a fresh one; its path."""
    remove(pool, name)
    with told("the disk cannot be made", where=name, command=f"virsh vol-info {name} {POOL}"):
        return str(pool.createXML(storage.overlay(name, size, base, base_format), 0).path())


def write(connection: Any, pool: Any, name: str, data: bytes) -> str:
    """A small volume with these contents; one that is there is written anew. Its path."""
    remove(pool, name)
    with told("the volume cannot be written", where=name):
        volume = pool.createXML(storage.volume(name, len(data)), 0)
        stream = connection.newStream(0)
        volume.upload(stream, 0, len(data), 0)
        view = memoryview(data)
        while view:
            view = view[stream.send(bytes(view[:PIECE])) :]
        stream.finish()
        return str(volume.path())


def read_end(connection: Any, pool: Any, name: str, most: int = 65536) -> str:
    """The last bytes of a volume that grows, as text; "" when it is not there."""
    volume = find(pool, name)
    if volume is None:
        return ""
    with told("the volume cannot be read", where=name):
        stream = connection.newStream(0)
        volume.download(stream, 0, 0, 0)
        kept = b""
        while piece := stream.recv(PIECE):
            kept = (kept + piece)[-most:]
        stream.finish()
        return kept.decode(errors="replace")


def read_start(connection: Any, pool: Any, name: str, length: int) -> bytes:
    """The first bytes of a volume."""
    volume = find(pool, name)
    if volume is None:
        return b""
    with told("the volume cannot be read", where=name):
        stream = connection.newStream(0)
        volume.download(stream, 0, length, 0)
        kept = b""
        while piece := stream.recv(length):
            kept += piece
        stream.finish()
        return kept


def remove(pool: Any, name: str) -> None:
    """Delete a volume; one that is gone is fine."""
    volume = find(pool, name)
    if volume is not None:
        with (
            told("the volume cannot be deleted", where=name, command=f"virsh vol-delete {name} {POOL}"),
            unless(libvirt.VIR_ERR_NO_STORAGE_VOL),
        ):
            volume.delete(0)


def remove_all(pool: Any, prefix: str) -> None:
    """Delete every volume whose name begins so, also those that libvirt has not made itself (rotated logs)."""
    with unless(libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_ERR_OPERATION_INVALID):  # busy with another lab's volume
        pool.refresh(0)
    for name in _names(pool):
        if name.startswith(prefix):
            remove(pool, name)


def no_longer_used(connection: Any, pool: Any, *, cluster: str, owner: str, name: str = "") -> None:
    """Take back the lab's use of a shared volume (of all of them without a name); remove those that nobody uses."""
    end = names.use(name, cluster, owner)
    for found in _names(pool):
        if found == end or (not name and found.endswith(end)):
            remove(pool, found)
    tidy(connection, pool)


def tidy(connection: Any, pool: Any) -> None:
    """Remove shared volumes that no lab names, no disk stands on and no machine boots from."""
    everything = _names(pool)
    candidates = [
        name
        for name in everything
        if names.is_shared(name) and not any(other.startswith(names.uses(name)) for other in everything)
    ]
    if not candidates:
        return
    needed = _needed_paths(connection, pool, everything)
    for name in candidates:
        with alone(name), unless(libvirt.VIR_ERR_NO_STORAGE_VOL):
            if any(other.startswith(names.uses(name)) for other in _names(pool)):
                continue  # another lab has just begun with it
            volume = find(pool, name)
            if volume is not None and volume.path() not in needed:
                remove(pool, names.whole(name))
                remove(pool, name)


def _names(pool: Any) -> list[str]:
    found: list[str] = pool.listVolumes()
    return sorted(found)


def _needed_paths(connection: Any, pool: Any, everything: list[str]) -> set[str]:
    needed: set[str] = set()
    for name in everything:
        volume = find(pool, name)
        if volume is not None and not names.is_shared(name):
            root = ElementTree.fromstring(described(volume))  # noqa: S314  # libvirt's own
            needed.add(root.findtext("backingStore/path") or "")
    for domain in connection.listAllDomains():
        root = ElementTree.fromstring(described(domain))  # noqa: S314  # libvirt's own
        needed |= {root.findtext("os/kernel") or "", root.findtext("os/initrd") or ""}
    return needed


def _touch(pool: Any, name: str) -> None:
    if find(pool, name) is not None:
        return
    with (
        told("the volume cannot be made", where=name),
        unless(libvirt.VIR_ERR_STORAGE_VOL_EXIST),
    ):
        pool.createXML(storage.volume(name, 0), 0)


def _wait_for_somebody(pool: Any, name: str) -> None:
    """Another checkout or another host may be bringing it: wait while it grows."""
    last = -1

    def grown() -> probe.Answer[bool]:
        volume = find(pool, name)
        if volume is None or find(pool, names.whole(name)) is not None:
            return probe.Answer(True)
        return probe.Answer(True) if volume.info()[2] != last else probe.Answer(None)

    while find(pool, name) is not None and find(pool, names.whole(name)) is None:
        volume = find(pool, name)
        last = volume.info()[2] if volume is not None else -1
        try:
            probe.wait_for("the upload goes on", grown, timeout=STALLED, every=0.5)
        except ProbeTimeoutError:
            return


def _upload_file(connection: Any, pool: Any, name: str, source: Path) -> Any:
    if not source.is_file():
        raise StacklabError("this file is not there", where=str(source), hint="stacklab fetch")
    size = source.stat().st_size
    command = f"virsh vol-upload {name} {source} --pool {POOL}"
    with (
        told("the upload failed", where=name, command=command, hint="is there room in the pool?"),
        source.open("rb") as file,
    ):
        volume = pool.createXML(storage.volume(name, size), 0)
        stream = connection.newStream(0)
        if _sparse(source):
            volume.upload(stream, 0, size, libvirt.VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM)
            stream.sparseSendAll(_read, _hole, _skip, file.fileno())
        else:
            volume.upload(stream, 0, size, 0)
            stream.sendAll(_read, file.fileno())
        stream.finish()
        return volume


def _sparse(source: Path) -> bool:
    found = source.stat()
    return found.st_blocks * 512 < found.st_size


def _read(_stream: Any, most: int, file: int) -> bytes:
    return os.read(file, most)


def _skip(_stream: Any, length: int, file: int) -> int:
    return os.lseek(file, length, os.SEEK_CUR)


def _hole(_stream: Any, file: int) -> list[Any]:
    """Whether data begins here, and how far this part reaches."""
    here = os.lseek(file, 0, os.SEEK_CUR)
    end = os.lseek(file, 0, os.SEEK_END)
    try:
        data = os.lseek(file, here, os.SEEK_DATA)
    except OSError:  # nothing but a hole until the end
        data = end
    found = [True, os.lseek(file, here, os.SEEK_HOLE) - here] if data == here < end else [False, data - here]
    os.lseek(file, here, os.SEEK_SET)
    return found
