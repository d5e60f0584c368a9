"""A running lab as verify sees it: the outputs of its stack, joined with what the stack file says of its apps. Pure."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from modules.base.errors import StacklabError

Kind = Literal["clusterip", "nodeport", "loadbalancer", "ingress"]
KINDS: tuple[Kind, ...] = ("clusterip", "nodeport", "loadbalancer", "ingress")
RUNNING = ("deployment", "replicaset", "statefulset", "daemonset")
NAMESPACE = "default"


@dataclass(frozen=True)
class Machine:
    """A node: its name in Kubernetes and the address the host reaches it at."""

    name: str
    role: str
    address: str


@dataclass(frozen=True)
class App:
    """What verify must know of an app. replicas is None when the number of nodes decides (daemonset)."""

    name: str
    workload: str
    replicas: int | None
    sticky: bool
    echo: bool
    volume: bool
    completions: int = 1

    @property
    def runs(self) -> bool:
        """Whether it serves as long as the lab is up; a job ends."""
        return self.workload in RUNNING and self.replicas != 0


@dataclass(frozen=True)
class Exposure:
    """One record of the stack's `exposures`, with the app it is of."""

    app: App
    kind: Kind
    url: str
    command: str
    host: str
    address: str
    port: int

    @property
    def target(self) -> str:
        """What the host asks: by address, so that no name has to be known to the host."""
        path = urlsplit(self.url).path or "/"
        return f"http://{self.address}:{self.port or 80}{path}"

    @property
    def shown(self) -> str:
        """What a person uses: the URL, or the command that makes one."""
        return self.url or self.command


@dataclass(frozen=True)
class Lab:
    """Everything the checks are made from. `provides` is what the addons say they bring.

    backend: for the note on what differs there; "" when it is not known.
    """

    stack: str
    kubeconfig: Path
    machines: tuple[Machine, ...]
    apps: tuple[App, ...]
    exposures: tuple[Exposure, ...]
    provides: frozenset[str]
    backend: str = ""


def read(
    stack: str,
    outputs: Mapping[str, Any],
    apps: Sequence[App],
    provides: frozenset[str] = frozenset(),
    backend: str = "",
) -> Lab:
    """A lab from what `pulumi stack output --json` printed; an error when the stack has no running lab."""
    if not outputs.get("kubeconfigFile"):
        raise StacklabError(
            f"the stack {stack} has no running lab", hint=f"bring the lab up first: make up STACK={stack}"
        )
    by_name = {app.name: app for app in apps}
    return Lab(
        stack=stack,
        kubeconfig=Path(outputs["kubeconfigFile"]),
        machines=tuple(Machine(m["name"], m["role"], m["address"]) for m in outputs.get("machines") or ()),
        apps=tuple(apps),
        exposures=tuple(_exposure(record, by_name) for record in outputs.get("exposures") or ()),
        provides=provides,
        backend=backend,
    )


def forwarded(command: str) -> tuple[list[str], str, int]:
    """A printed `kubectl port-forward` command: its words with a free local port, the service, the service's port."""
    words = shlex.split(command)
    service = next((w for w in words if w.startswith(("service/", "svc/"))), "")
    ports = words[-1].partition(":")[2] if words else ""
    if "port-forward" not in words or not service or not ports.isdigit():
        raise StacklabError("not a port-forward command of a service", command=command)
    return [*words[:-1], f":{ports}"], service.partition("/")[2], int(ports)


def enough_requests(pods: int) -> int:
    """How many requests see every one of `pods` at random, but for one time in a billion."""
    if pods <= 1:
        return 3
    return math.ceil((math.log(pods) + math.log(1e9)) / -math.log(1 - 1 / pods))


def _exposure(record: Mapping[str, Any], apps: Mapping[str, App]) -> Exposure:
    name, kind = record["app"], record["kind"]
    if kind not in KINDS:
        raise StacklabError(f"unknown kind of exposure in the stack's outputs: {kind}")
    # An app that the file no longer names, but the cluster still has: all that can be asked is an answer.
    app = apps.get(name) or App(name, "deployment", None, sticky=False, echo=False, volume=False)
    return Exposure(
        app=app,
        kind=cast("Kind", kind),
        url=str(record.get("url") or ""),
        command=str(record.get("command") or ""),
        host=str(record.get("host") or ""),
        address=str(record.get("address") or ""),
        port=int(record.get("port") or 0),
    )
