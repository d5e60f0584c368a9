"""Specs and hosts that the golden files of tests/unit/local/golden are made from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from modules.host.facts import NodeHost
from modules.local.kind.spec import ClusterSpec, Node

RESTRICTED = NodeHost(cgroup_v1=True, restrict_oom=True, modules_dir=Path("/cache/host/modules"), engine="podman")
FRIENDLY = NodeHost(cgroup_v1=False, restrict_oom=False, modules_dir=None, engine="docker")


@dataclass(frozen=True)
class Tags:
    etcd_tag: str = "3.6.16-0"
    coredns_tag: str = "v1.14.7"


def nodes(cluster: str, masters: int, workers: int) -> tuple[Node, ...]:
    """kind's names, the plan's addresses."""

    def name(role: str, number: int) -> str:
        return f"{cluster}-{role}{number if number > 1 else ''}"

    return (
        *(Node(name("control-plane", n), "master", f"10.201.7.{10 + n}") for n in range(1, masters + 1)),
        *(Node(name("worker", n), "worker", f"10.201.7.{20 + n}") for n in range(1, workers + 1)),
    )


def spec(masters: int = 1, workers: int = 2) -> ClusterSpec:
    return ClusterSpec(
        stack="dev",
        name="stacklab-dev",
        kubernetes="1.36.3",
        image="localhost/stacklab/node:v1.36.3-0123456789ab",
        network="stacklab-dev",
        pods="10.244.0.0/16",
        services="10.96.0.0/12",
        proxy="iptables",
        balancer="10.201.7.10" if masters > 1 else "",
        nodes=nodes("stacklab-dev", masters, workers),
    )


CASES = {
    "one-master-two-workers-restricted-podman": (spec(), RESTRICTED),
    "one-master-two-workers-friendly-docker": (spec(), FRIENDLY),
    "three-masters-one-worker": (spec(3, 1), RESTRICTED),
    "three-masters-alone": (spec(3, 0), FRIENDLY),
    "nftables": (replace(spec(), proxy="nftables"), FRIENDLY),
}
LABELS = {"stacklab.owner": "0011223344556677", "stacklab.stack": "dev", "stacklab.checkout": "/home/a b/lab"}
