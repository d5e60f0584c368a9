"""Clusters and nodes that the golden files are made from."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from modules.artifacts.machine.texts import Limits
from modules.bootstrap.kubeadm.spec import Cluster, Front, Node

GOLDEN = Path(__file__).parent / "golden"
CONTAINER = Limits(cgroup_v1=True, no_oom_adjust=True)


def nodes(masters: int, workers: int, limits: Limits | None = None) -> tuple[Node, ...]:
    found = [Node(f"master{n:02}", "master", f"192.168.26.{10 + n}") for n in range(1, masters + 1)]
    found += [Node(f"node{n:02}", "worker", f"192.168.26.{20 + n}") for n in range(1, workers + 1)]
    return tuple(replace(node, limits=limits or Limits()) for node in found)


def cluster(masters: int = 1, *, vip: str = "", etcd: tuple[str, ...] = ()) -> Cluster:
    return Cluster(
        stack="ha",
        name="stacklab-ha",
        owner="0011223344556677",
        kubernetes="1.36.3",
        front=Front("api.stacklab-ha.internal", vip, tuple((n.name, n.address) for n in nodes(masters, 0))),
        pods="10.244.0.0/16",
        services="10.96.0.0/12",
        proxy="iptables",
        etcd_tag="3.6.16-0",
        coredns_tag="v1.14.7",
        etcd=etcd,
    )


def agrees(text: str, name: str) -> None:
    """With UPDATE_GOLDEN=1 the file becomes what the text is; then read the difference."""
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()
