"""Labels and taints of the Kubernetes nodes: what kubectl must be told so that they are as the stack file says. Pure.

They are set after the nodes joined, not by kubelet: kubelet may not give itself every label, and the same way serves an
edit of the stack file later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modules.local.kind.spec import ClusterSpec, Node

EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"


@dataclass(frozen=True)
class Actual:
    """A Kubernetes node's labels and taints (key=value:Effect) as the cluster has them."""

    labels: Mapping[str, str]
    taints: tuple[str, ...]


def needed(spec: ClusterSpec, before: Sequence[Node] = ()) -> bool:
    """Whether there is anything to see to; a plain cluster needs no question to its API."""
    return any(n.labels or n.taints for n in (*spec.nodes, *before)) or _masters_alone(spec)


def commands(spec: ClusterSpec, before: Sequence[Node], actual: Mapping[str, Actual]) -> list[list[str]]:
    """kubectl's arguments, one list a call. `before` is what an earlier stack file wanted; it goes when unwanted."""
    was = {node.name: node for node in before}
    calls: list[list[str]] = []
    for node in spec.nodes:
        old, now = was.get(node.name, Node(node.name, node.role, "")), actual[node.name]
        labels = [f"{key}={value}" for key, value in sorted(node.labels.items()) if now.labels.get(key) != value]
        unwanted = set(old.labels) | ({EXCLUDE} if _masters_alone(spec) else set())
        labels += [f"{key}-" for key in sorted(unwanted - set(node.labels)) if key in now.labels]
        wanted, there = _by_slot(node.taints), _by_slot(now.taints)
        taints = [taint for slot, taint in wanted.items() if there.get(slot) != taint]
        taints += [f"{taint}-" for slot, taint in _by_slot(old.taints).items() if slot not in wanted and slot in there]
        if labels:
            calls.append(["label", "node", node.name, "--overwrite", *labels])
        if taints:
            calls.append(["taint", "node", node.name, "--overwrite", *taints])
    return calls


def parse(nodes: Mapping[str, Any]) -> dict[str, Actual]:
    """From `kubectl get nodes -o json`."""
    return {
        item["metadata"]["name"]: Actual(
            labels=item["metadata"].get("labels", {}),
            taints=tuple(_taint(t) for t in item.get("spec", {}).get("taints", [])),
        )
        for item in nodes["items"]
    }


def _by_slot(taints: Sequence[str]) -> dict[tuple[str, str], str]:
    """A node has one taint for each key and effect; `key=:Effect` and `key:Effect` are the same."""
    slots = {}
    for taint in taints:
        key, _, effect = taint.partition(":")
        name, _, value = key.partition("=")
        slots[name, effect] = f"{name}={value}:{effect}" if value else f"{name}:{effect}"
    return slots


def _taint(raw: Mapping[str, str]) -> str:
    value = raw.get("value", "")
    return f"{raw['key']}={value}:{raw['effect']}" if value else f"{raw['key']}:{raw['effect']}"


def _masters_alone(spec: ClusterSpec) -> bool:
    """Several masters and no worker: kubeadm keeps load balancers away from masters, then nobody would answer."""
    return not spec.workers and len(spec.masters) > 1
