"""What one machine is to be: everything that the steps need to know, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from modules.artifacts.machine.payload import Payload
from modules.bootstrap.hosts import Entry


@dataclass(frozen=True)
class Wish:
    """entries: the lines of its hosts file; mirrors: registry -> address; pods: the range of pods, for the firewall.

    repository: where kubeadm is told that its images are, "" the usual place.
    vip: several masters have an address in front of them; members: it is one of an etcd of its own.
    """

    stack: str
    machine: str
    role: Literal["master", "worker"]
    entries: tuple[Entry, ...]
    payload: Payload
    pods: str
    proxy: str = "iptables"
    mirrors: Mapping[str, str] = field(default_factory=dict)
    repository: str = ""
    masters: int = 1
    vip: bool = False
    etcd: bool = False
