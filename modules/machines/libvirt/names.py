"""Names, addresses and marks of a lab's objects in libvirt: functions of the lab alone. Pure."""

from __future__ import annotations

import hashlib
import re
from ipaddress import IPv4Address

LONGEST_LINK = 15  # the kernel's limit for the name of a network device


def bridge(cluster: str) -> str:
    """The bridge of a lab's network: readable where it fits, else a digest."""
    stack = cluster.removeprefix("stacklab-")
    plain = f"sl-{stack}"
    if len(plain) <= LONGEST_LINK and re.fullmatch(r"[a-z0-9-]+", stack):
        return plain
    return f"sl-{hashlib.sha256(cluster.encode()).hexdigest()[: LONGEST_LINK - 3]}"


def mac(address: str) -> str:
    """The MAC that goes with an address: as unique as that, and never one of a vendor."""
    return ":".join(["52", "54", *(f"{byte:02x}" for byte in IPv4Address(address).packed)])


def domain(cluster: str, machine: str) -> str:
    """A dot between them: host names and labs that begin alike stay apart (a-b.c is not a.b-c)."""
    return f"{cluster}.{machine}"


def volume(cluster: str, owner: str, machine: str, what: str) -> str:
    """A volume of one machine; volumes have no metadata, so the name says whose it is."""
    return f"{prefix(cluster, owner)}{machine}.{what}"


def prefix(cluster: str, owner: str) -> str:
    """What the names of all volumes of one lab begin with."""
    return f"{cluster}.{owner}."


def shared(key: str, what: str) -> str:
    """A volume that all labs with the same image share; `key` identifies the contents."""
    return f"shared-{hashlib.sha256(key.encode()).hexdigest()[:20]}.{what}"


def use(name: str, cluster: str, owner: str) -> str:
    """The empty volume that says: this lab uses that shared one."""
    return f"{name}.used-by.{cluster}.{owner}"


def uses(name: str) -> str:
    """What the names of all uses of a shared volume begin with."""
    return f"{name}.used-by."


def whole(name: str) -> str:
    """The empty volume that says: this shared one has been brought completely."""
    return f"{name}.whole"


def is_shared(name: str) -> bool:
    """Whether it is a shared volume itself, not a sign beside one."""
    return name.startswith("shared-") and ".used-by." not in name and not name.endswith(".whole")
