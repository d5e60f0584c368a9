"""The class's memory, in a file beside the class file: each student's place in the addresses, and its lab's host.

classes/<class>.places.yaml belongs to the class as much as the class file does, and is committed with it: teachers who
share a class share it, and a student who comes back finds the addresses of before.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import yaml

from modules.base.errors import InvalidStackError
from modules.classroom import labs
from modules.classroom.model import Addresses

HEAD = "# Written by `stacklab class up`: who has which place, so that nobody moves. Commit it with the class file.\n"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True)
class Record:
    """Slots and hosts by student; `addresses` is the range that the slots were of."""

    slots: Mapping[str, int] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)
    addresses: Addresses = field(default_factory=Addresses)

    def networks(self) -> Iterable[IPv4Network]:
        """Every network that is somebody's."""
        return (labs.network_of(self.addresses, slot) for slot in self.slots.values())


def file_of(class_file: Path) -> Path:
    """Where a class's record is."""
    return class_file.with_name(f"{class_file.stem}.places.yaml")


def load(class_file: Path) -> Record:
    """What is remembered of a class; nothing when it was never up."""
    path = file_of(class_file)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Record()
    try:
        data = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe one
        return parse(data)
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        hint = "take it back from version control; without it students get new addresses"
        raise InvalidStackError(f"this file was damaged: {error}", where=str(path), hint=hint) from None


def parse(data: Mapping[str, Any]) -> Record:
    """From the file's data."""
    students: Mapping[str, Mapping[str, Any]] = data["students"] or {}
    return Record(
        {str(one): int(entry["place"]) for one, entry in students.items()},
        {str(one): str(entry["host"]) for one, entry in students.items() if entry.get("host")},
        Addresses.model_validate(dict(data["addresses"])),
    )


def as_data(record: Record) -> dict[str, Any]:
    """The file's data."""
    students = {
        one: {"place": slot} | ({"host": record.hosts[one]} if one in record.hosts else {})
        for one, slot in sorted(record.slots.items())
    }
    addresses = {"range": str(record.addresses.range), "each": record.addresses.each}
    return {"addresses": addresses, "students": students}


def save(class_file: Path, record: Record) -> None:
    """Write it as a whole or not at all; what is there already is left alone."""
    path = file_of(class_file)
    text = HEAD + yaml.dump(as_data(record), Dumper=_DUMPER, sort_keys=False, default_flow_style=None, width=120)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def others(class_file: Path) -> list[Record]:
    """The records of the classes beside this one."""
    mine = file_of(class_file)
    return [
        load(path.with_name(path.name.removesuffix(".places.yaml") + ".yaml"))
        for path in sorted(class_file.parent.glob("*.places.yaml"))
        if path != mine
    ]


def avoided(addresses: Addresses, taken: Iterable[IPv4Network]) -> set[int]:
    """The places of a range that overlap with networks that somebody else has."""
    base, size, room = int(addresses.range.network_address), 2 ** (32 - addresses.each), labs.room(addresses)
    found: set[int] = set()
    for network in taken:
        if network.overlaps(addresses.range):
            first = (int(network.network_address) - base) // size
            last = (int(network.broadcast_address) - base) // size
            found.update(range(max(first, 0), min(last, room - 1) + 1))
    return found
