"""A lab of small virtual machines, as tests write it. They are emulated where KVM does not work: all takes minutes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.support.labs import Lab
from tests.support.project import Project

PATIENCE = 840  # seconds; below the limit of one test


def machine(subnet: str, number: int, **more: Any) -> dict[str, Any]:
    """One as a stack file lists it; subnet: the first three parts of its address."""
    return {"name": f"vms{number}.rhce.cc", "address": f"{subnet}.{number}", **more}


def spec(subnet: str, workers: Sequence[dict[str, Any]], addons: Sequence[str]) -> dict[str, Any]:
    """One master, and an app that is reached inside and at each machine."""
    return {
        "backend": "libvirt",
        "masters": [machine(subnet, 21)],
        "workers": [*workers],
        "machine": {"cpus": 2, "memory": "2GiB", "disk": "10GiB"},
        "network": {"machines": f"{subnet}.0/24"},
        "addons": [*addons],
        "apps": [{"name": "kubia", "replicas": 2, "expose": [{"clusterip": {}}, {"nodeport": {"port": 30080}}]}],
    }


@contextmanager
def lab(project: Project, stack: str, wanted: dict[str, Any]) -> Iterator[Lab]:
    """Up for the time of the `with`."""
    made = Lab.of(project, stack, wanted)
    made.patience = PATIENCE
    made.up().ok()
    yield made
    made.remove()


def nodes(of: Lab) -> dict[str, str]:
    """Name -> status of its Ready condition."""
    return {
        node["metadata"]["name"]: next(c["status"] for c in node["status"]["conditions"] if c["type"] == "Ready")
        for node in of.get("nodes")["items"]
    }
