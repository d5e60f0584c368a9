"""What a lab wants of libvirt, typed. Sizes in bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Literal

Acceleration = Literal["kvm", "tcg", "test"]  # test: libvirt's own test driver


@dataclass(frozen=True)
class Host:
    """A machine as DHCP and DNS of the lab's network know it."""

    name: str
    address: str
    mac: str


@dataclass(frozen=True)
class NetworkSpec:
    """A NAT network; `hosts` can be changed in place."""

    stack: str
    name: str
    bridge: str
    range: str
    gateway: str
    hosts: tuple[Host, ...] = ()


@dataclass(frozen=True)
class DirectBoot:
    """Paths on libvirt's host."""

    kernel: str
    initrd: str
    cmdline: str


@dataclass(frozen=True)
class DomainSpec:
    """A machine. disk, seed and console are paths on libvirt's host; without `boot` the disk's boot loader starts."""

    stack: str
    name: str
    uuid: str
    cpus: int
    memory: int
    acceleration: Acceleration
    network: str
    mac: str
    disk: str
    seed: str
    console: str
    boot: DirectBoot | None = None

    def digest(self) -> str:
        """Changes with everything but the state of the disk."""
        return hashlib.sha256(json.dumps(asdict(replace(self, stack="")), sort_keys=True).encode()).hexdigest()[:16]
