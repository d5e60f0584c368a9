"""From the stack file to machines with names and addresses: a function of the spec and the stack's name alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from modules.topology.model import App


@dataclass(frozen=True)
class Machine:
    """One machine of the lab; memory and disk in bytes, taints as key=value:Effect."""

    name: str
    role: Literal["master", "worker"]
    address: str
    cpus: int
    memory: int
    disk: int
    labels: Mapping[str, str]
    taints: tuple[str, ...]


@dataclass(frozen=True)
class Network:
    """The lab's ranges. `endpoint` is the address in front of several masters, None with one master."""

    name: str
    machines: str
    gateway: str
    pods: str
    services: str
    loadbalancers: tuple[str, str]
    proxy: str
    endpoint: str | None


@dataclass(frozen=True)
class LabPlan:
    """Everything the layers above need to make the lab."""

    stack: str
    cluster: str
    backend: str
    kubernetes: str
    machines: tuple[Machine, ...]
    network: Network
    addons: Mapping[str, BaseModel]
    apps: tuple[App, ...]
    sources: str
    warnings: tuple[str, ...]
