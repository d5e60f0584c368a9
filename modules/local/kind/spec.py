"""What a kind cluster is to be: the values that rendering and driving work from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["master", "worker", "balancer"]


@dataclass(frozen=True)
class Node:
    """One machine: kind's own name for it, its fixed address, and what users want to see on the Kubernetes node."""

    name: str
    role: Role
    address: str
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClusterSpec:
    """One cluster. `balancer` is the address of the load balancer in front of several masters, "" with one master.

    registries: registry -> its mirror, for containerd on every machine.
    """

    stack: str
    name: str
    kubernetes: str
    image: str
    network: str
    pods: str
    services: str
    proxy: str
    balancer: str
    nodes: tuple[Node, ...]
    registries: Mapping[str, str] = field(default_factory=dict)

    @property
    def masters(self) -> tuple[Node, ...]:
        return tuple(n for n in self.nodes if n.role == "master")

    @property
    def workers(self) -> tuple[Node, ...]:
        return tuple(n for n in self.nodes if n.role == "worker")

    @property
    def containers(self) -> tuple[Node, ...]:
        """Every container of the cluster: the nodes and, with several masters, kind's load balancer."""
        if len(self.masters) < 2:
            return self.nodes
        return (*self.nodes, Node(f"{self.name}-external-load-balancer", "balancer", self.balancer))
