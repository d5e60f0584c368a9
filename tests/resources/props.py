"""Inputs of the two resources, as Pulumi hands them over."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.local.cases import nodes

IMAGE = "localhost/stacklab/node:v1.36.3-0123456789ab"
on_both = pytest.mark.parametrize("engine_name", ["podman", "docker"])

NETWORK: dict[str, Any] = {
    "stack": "dev",
    "name": "stacklab-dev",
    "subnet": "10.201.7.0/24",
    "gateway": "10.201.7.1",
    "__provider": "pickled",
}


def cluster(masters: int = 1, workers: int = 1, engine: str = "podman", **changed: Any) -> dict[str, Any]:
    return {
        "stack": "dev",
        "name": "stacklab-dev",
        "kubernetes": "1.36.3",
        "image": IMAGE,
        "network": "stacklab-dev",
        "engine": engine,
        "pods": "10.244.0.0/16",
        "services": "10.96.0.0/12",
        "proxy": "iptables",
        "balancer": "10.201.7.10" if masters > 1 else "",
        "registries": None,
        "machines": [
            {"name": n.name, "role": n.role, "address": n.address, "labels": {}, "taints": []}
            for n in nodes("stacklab-dev", masters, workers)
        ],
        "__provider": "pickled",
        **changed,
    }


BASE_IMAGE = "localhost/stacklab/minikube:v1.36.3-0123456789ab"


def profile(masters: int = 1, workers: int = 1, engine: str = "podman", **changed: Any) -> dict[str, Any]:
    """minikube's names, the plan's addresses; numbers arrive as floats."""
    roles = ["master"] * masters + ["worker"] * workers
    counts = {"master": 10, "worker": 20}
    machines = []
    for place, role in enumerate(roles):
        counts[role] += 1
        name = f"stacklab-dev-m{place + 1:02}" if place else "stacklab-dev"
        machines.append(
            {
                "name": name,
                "role": role,
                "address": f"10.201.7.{counts[role]}",
                "cpus": 2.0,
                "memory": float(2 << 30),
                "labels": {},
                "taints": [],
            }
        )
    kept = {
        key: value for key, value in cluster(masters, workers, engine).items() if key not in ("machines", "registries")
    }
    return {**kept, "mirrors": None, "image": BASE_IMAGE, "runtime": "containerd", "machines": machines, **changed}
