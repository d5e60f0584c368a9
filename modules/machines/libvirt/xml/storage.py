"""A pool in a folder, and volumes in it."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from modules.host.libvirt.mark import POOL, POOL_UUID
from modules.machines.libvirt.xml import add, write

PRIVATE = "0600"  # seeds hold host keys


def pool(path: str) -> str:
    root = Element("pool", {"type": "dir"})
    add(root, "name", POOL)
    add(root, "uuid", POOL_UUID)
    add(add(root, "target"), "path", path)
    return write(root)


def volume(name: str, size: int) -> str:
    """A file that takes what is uploaded, whatever its format is."""
    root = Element("volume", {"type": "file"})
    add(root, "name", name)
    add(root, "capacity", size, {"unit": "bytes"})
    add(root, "allocation", 0, {"unit": "bytes"})
    target = add(root, "target")
    add(target, "format", attributes={"type": "raw"})
    add(add(target, "permissions"), "mode", PRIVATE)
    return write(root)


def overlay(name: str, size: int, base: str, base_format: str) -> str:
    """A disk that takes up only what differs from its base."""
    root = Element("volume", {"type": "file"})
    add(root, "name", name)
    add(root, "capacity", size, {"unit": "bytes"})
    add(root, "allocation", 0, {"unit": "bytes"})
    target = add(root, "target")
    add(target, "format", attributes={"type": "qcow2"})
    add(add(target, "permissions"), "mode", PRIVATE)
    backing = add(root, "backingStore")
    add(backing, "path", base)
    add(backing, "format", attributes={"type": base_format})
    return write(root)
