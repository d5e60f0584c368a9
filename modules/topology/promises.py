"""Where a backend cannot give what a stack file promises on another one: the one table. Pure data.

The outputs of a stack and `stacklab verify` take their notes from here; docs/backends.md shows all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from modules.topology.types import Backend

BACKENDS: tuple[str, ...] = get_args(Backend)
PAGE = "docs/backends.md"


@dataclass(frozen=True)
class Promise:
    """What a stack file promises, in one word or two and as a sentence; `instead`: backend -> what there is there."""

    subject: str
    promise: str
    instead: Mapping[str, str]

    def on(self, backend: str) -> str:
        """What differs there, "" when it is as promised."""
        return self.instead.get(backend, "")


def _containers(what: str) -> Mapping[str, str]:
    return {"kind": what, "minikube": what}


PROMISES = (
    Promise(
        "size",
        "each machine has the CPUs and the memory of the file",
        {"kind": "the host's, shared and not limited", "ssh": "what the machine has"},
    ),
    Promise(
        "disk",
        "each machine has a disk of its own, of the size in the file",
        {**_containers("the host's, shared and not limited"), "ssh": "what the machine has"},
    ),
    Promise(
        "kernel",
        "each machine has a kernel of its own, with its modules and settings",
        _containers("the host's, with its cgroup version"),
    ),
    Promise(
        "names",
        "machines have the names of the file",
        {"kind": "<lab>-control-plane, <lab>-worker, <lab>-worker2", "minikube": "<lab>, <lab>-m02, <lab>-m03"},
    ),
    Promise("login", "machines are reached by SSH", _containers("by `exec` of the container engine")),
    Promise(
        "reach",
        "addresses of machines and load balancers are reached from other computers",
        {**_containers("from this host only"), "libvirt": "from the host of the virtual machines only"},
    ),
    Promise(
        "masters",
        "several masters, behind `network.endpoint` where it is set",
        {
            "kind": "behind a load balancer of kind's, at no address of the file",
            "minikube": "three or more, behind a load balancer of ours at the last address of the network",
        },
    ),
    Promise("etcd", "etcd on members that the file names", _containers("on the masters only")),
    Promise("workers", "more or fewer workers are a change in place", {"kind": "a new cluster"}),
    Promise(
        "upgrade",
        "a newer `kubernetes` is an upgrade in place; volumes and apps stay",
        {"kind": "a new cluster, without the data"},
    ),
    Promise("mirrors", "other `mirrors` are a change in place", _containers("a new cluster")),
    Promise(
        "rest",
        "`stacklab stop`, `start`, `pause` and `unpause`",
        {"ssh": "stopped and started by whoever has the machines"},
    ),
    Promise("end", "`pulumi destroy` removes the machines", {"ssh": "gives them back as they were"}),
)


def notes(backend: str) -> tuple[str, ...]:
    """A line for each promise that differs on a backend."""
    return tuple(f"{p.subject}: {p.on(backend)}; elsewhere {p.promise}" for p in PROMISES if p.on(backend))


def summary(backend: str) -> str:
    """The same in one line."""
    subjects = ", ".join(p.subject for p in PROMISES if p.on(backend))
    return f"on {backend} these differ from other backends: {subjects} ({PAGE})" if subjects else ""


def rows() -> tuple[tuple[str, ...], ...]:
    """All of it: subject, promise, and what there is on each backend; "" where it is as promised."""
    return tuple((p.subject, p.promise, *(p.on(backend) for backend in BACKENDS)) for p in PROMISES)
