"""Whose is an object of libvirt? An element of our own in its <metadata>; libvirt keeps it without looking at it.

Volumes and pools have no metadata: the names of volumes carry lab and owner (modules.machines.libvirt.names), the pool
of ours is known by its UUID.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from xml.etree import ElementTree

NAMESPACE = "urn:stacklab:lab:1"
PREFIX = "stacklab"
POOL = "stacklab"
POOL_UUID = "6c1f3f0e-5d0c-5a44-9d1f-7374616b6c62"  # the same everywhere: any stacklab shares the pool
ElementTree.register_namespace(PREFIX, NAMESPACE)


@dataclass(frozen=True)
class Mark:
    """The lab and the checkout that made an object. configuration: a digest of what it was made from."""

    stack: str
    owner: str
    checkout: str = ""
    configuration: str = ""


def element(mark: Mark) -> ElementTree.Element:
    """The <metadata> of a network or domain."""
    metadata = ElementTree.Element("metadata")
    fields = {"stack": mark.stack, "owner": mark.owner, "checkout": mark.checkout, "configuration": mark.configuration}
    ElementTree.SubElement(metadata, f"{{{NAMESPACE}}}lab", {key: value for key, value in fields.items() if value})
    return metadata


def read(xml: str) -> Mark | None:
    """The mark in an object's XML; None when it is not a stacklab's."""
    found = None
    with contextlib.suppress(ElementTree.ParseError):
        # What libvirt says of its own objects, not what a stranger sent.
        found = ElementTree.fromstring(xml).find(f"metadata/{{{NAMESPACE}}}lab")  # noqa: S314
    if found is None:
        return None
    return Mark(
        found.get("stack", ""), found.get("owner", ""), found.get("checkout", ""), found.get("configuration", "")
    )
