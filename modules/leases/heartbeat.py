"""Nodes report again after their machines were started: each kubelet renews a lease of its node every ten seconds."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from modules import artifacts
from modules.base.probe import Answer, wait_for
from modules.base.shell import run

LEASES = ("get", "leases", "--namespace=kube-node-lease", "--output=json")


def wait(kubeconfig: Path, names: Collection[str], *, timeout: float, where: str) -> None:
    """Until the lease of each of these nodes was renewed. A name that is no node of the cluster is not waited for.

    The time in a lease is the machine's own, which may differ from this host's: only its changing counts.
    """
    first: dict[str, str] = {}

    def look() -> Answer[bool]:
        now = renewed(run([artifacts.binary("kubectl"), "--kubeconfig", kubeconfig, *LEASES], timeout=30).stdout)
        first.update({name: now[name] for name in names if name in now and name not in first})
        still = silent(first, now)
        return Answer(None if still else True, f"silent so far: {', '.join(still)}")

    hint = "journalctl -u kubelet on a machine that is silent"
    wait_for("all nodes report again", look, timeout=timeout, every=1, where=where, hint=hint)


def renewed(leases: str) -> dict[str, str]:
    """Node -> when it last reported; "" when it never did. Pure."""
    return {one["metadata"]["name"]: str(one["spec"].get("renewTime") or "") for one in json.loads(leases)["items"]}


def silent(first: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Nodes whose lease is as it was; one whose lease is gone meanwhile has left the cluster. Pure."""
    return sorted(name for name, time in first.items() if now.get(name) == time)
