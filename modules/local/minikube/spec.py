"""What a minikube profile is to be: the values that command lines and driving work from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from modules.local.kind.spec import ClusterSpec, Node
from modules.topology.model import Mirrors

TAINT = "node-role.kubernetes.io/control-plane:NoSchedule"
EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"
MIB = 1 << 20


@dataclass(frozen=True)
class Size:
    """What one machine may use; memory in bytes."""

    cpus: int
    memory: int


@dataclass(frozen=True)
class Profile:
    """One lab as a profile of minikube's. sizes: by machine; own_image: `cluster.image` is ours and has all in it.

    mirrors: what minikube is told of; those of registries are in `cluster` too, for containerd.
    """

    cluster: ClusterSpec
    driver: str
    runtime: str
    sizes: Mapping[str, Size]
    own_image: bool = True
    mirrors: Mirrors = field(default_factory=Mirrors)

    @property
    def name(self) -> str:
        return self.cluster.name

    @property
    def nodes(self) -> tuple[Node, ...]:
        return self.cluster.nodes

    @property
    def marked(self) -> ClusterSpec:
        """The cluster with what minikube leaves out: masters keep pods away when there are workers to take them."""
        if not self.cluster.workers:
            return self.cluster
        taint = {n.name: (*n.taints, TAINT) for n in self.cluster.masters if TAINT not in n.taints}
        return replace(
            self.cluster, nodes=tuple(replace(n, taints=taint.get(n.name, n.taints)) for n in self.cluster.nodes)
        )

    def as_left(self, before: Sequence[Node]) -> tuple[Node, ...]:
        """What kubeadm and an earlier stack file (`before`) put on the nodes, as far as it may have to go.

        Without workers, masters must answer for load balancers too.
        """
        old = {n.name: n for n in before}
        found = []
        for node in self.nodes:
            was = old.get(node.name, replace(node, labels={}, taints=()))
            alone = node.role == "master" and not self.cluster.workers
            found.append(replace(was, labels={**was.labels, EXCLUDE: ""}) if alone else was)
        return tuple(found)
