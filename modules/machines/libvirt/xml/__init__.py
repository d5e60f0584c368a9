"""What libvirt is told, as XML made of elements. Pure; golden files hold it, libvirt's test driver takes it."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring


def add(parent: Element, tag: str, text: object = None, attributes: Mapping[str, str] | None = None) -> Element:
    """A child of `parent` with its text."""
    child = SubElement(parent, tag, dict(attributes or {}))
    if text is not None:
        child.text = str(text)
    return child


def write(root: Element) -> str:
    """The document as people read it."""
    indent(root)
    return tostring(root, encoding="unicode") + "\n"
