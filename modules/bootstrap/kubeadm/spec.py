"""What a cluster and one node of it are to be: the values that configuration and sequences work from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from modules.artifacts.machine.texts import Limits

Role = Literal["master", "worker"]

API_PORT = 6443
VIP_PORT = 8443
TAINT = "node-role.kubernetes.io/control-plane:NoSchedule"
EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"


@dataclass(frozen=True)
class Node:
    """One machine of the cluster, and what users want to see on its Kubernetes node; taints as key=value:Effect."""

    name: str
    role: Role
    address: str
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    @property
    def master(self) -> bool:
        return self.role == "master"


@dataclass(frozen=True)
class Front:
    """How the API is reached: its name, the virtual address ("" without one), and the masters behind it."""

    api: str
    vip: str
    masters: tuple[tuple[str, str], ...]  # name, address

    @property
    def port(self) -> int:
        return VIP_PORT if self.vip else API_PORT

    @property
    def address(self) -> str:
        """kubeadm's controlPlaneEndpoint."""
        return f"{self.api}:{self.port}"

    def balanced(self, role: Role) -> bool:
        """Whether a machine of that role runs haproxy."""
        return role == "master" if self.vip else role == "worker" and len(self.masters) > 1


@dataclass(frozen=True)
class Cluster:
    """One cluster. repository is where kubeadm's images are, "" the usual place; etcd the addresses of external
    members; alone says that there are no workers.
    """

    stack: str
    name: str
    owner: str
    kubernetes: str
    front: Front
    pods: str
    services: str
    proxy: str
    etcd_tag: str
    coredns_tag: str
    repository: str = ""
    etcd: tuple[str, ...] = ()


def wanted_labels(node: Node, alone: bool) -> dict[str, str]:
    """What the file says; and a master that is not alone is left out by load balancers, as kubeadm has it."""
    return {**({EXCLUDE: ""} if node.master and not alone else {}), **node.labels}


def wanted_taints(node: Node, alone: bool) -> tuple[str, ...]:
    """What the file says; and a master that is not alone takes no ordinary pods."""
    return (*((TAINT,) if node.master and not alone else ()), *node.taints)
