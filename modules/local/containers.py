"""What the container engine knows: containers and networks as typed values, the same for podman and docker."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modules.base.errors import OwnershipError
from modules.host import cgroups
from modules.host.engine import Engine
from modules.local.owner import CHECKOUT, CONFIGURATION, OWNER, STACK

LOOK = 60.0  # seconds for a question; an engine under load answers late
CLUSTER = "io.x-k8s.kind.cluster"  # kind's own labels
ROLE = "io.x-k8s.kind.role"


@dataclass(frozen=True)
class Container:
    """One container as the engine sees it; `address` is the one on the network that was asked for, "" when stopped."""

    id: str
    name: str
    state: str
    labels: Mapping[str, str]
    addresses: Mapping[str, str]

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def owner(self) -> str:
        return self.labels.get(OWNER, "")

    @property
    def configuration(self) -> str:
        return self.labels.get(CONFIGURATION, "")

    @property
    def maker(self) -> str:
        """Who made it, in words, for errors."""
        if self.owner:
            return f"by the stacklab checkout {self.labels.get(CHECKOUT, '?')} (owner {self.owner})"
        if CLUSTER in self.labels:
            return f"by kind, outside stacklab (cluster {self.labels[CLUSTER]})"
        return "outside stacklab"


@dataclass(frozen=True)
class ContainerNet:
    """One network of the engine and the names of the containers on it."""

    name: str
    subnet: str
    gateway: str
    labels: Mapping[str, str]
    containers: tuple[str, ...]


def find(engine: Engine, *, names: Iterable[str] = (), label: str = "") -> list[Container]:
    """Containers, running or not, that have one of the names or the label (key=value)."""
    wanted = set(names)
    ids: dict[str, None] = {}
    if wanted:
        listed = engine.run("ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}}", timeout=LOOK).stdout
        rows = (line.split(maxsplit=1) for line in listed.splitlines())
        ids |= {row[0]: None for row in rows if len(row) == 2 and wanted & set(row[1].split(","))}
    if label:
        listed = engine.run("ps", "-a", "--no-trunc", "-q", "--filter", f"label={label}", timeout=LOOK).stdout
        ids |= {line.strip(): None for line in listed.splitlines() if line.strip()}
    if not ids:
        return []
    # One that goes away in between makes `inspect` fail, yet it still prints the others.
    found = engine.run("inspect", "--type", "container", *ids, timeout=LOOK, check=False).stdout
    return sorted((_container(raw) for raw in json.loads(found or "[]")), key=lambda c: c.name)


def _container(raw: Mapping[str, Any]) -> Container:
    networks = (raw.get("NetworkSettings") or {}).get("Networks") or {}
    return Container(
        id=raw["Id"],
        name=raw["Name"].lstrip("/"),
        state=raw["State"]["Status"],
        labels=(raw.get("Config") or {}).get("Labels") or {},
        addresses={name: net.get("IPAddress") or "" for name, net in networks.items()},
    )


def network(engine: Engine, name: str) -> ContainerNet | None:
    """The network of that name, or None."""
    listed = engine.run("network", "ls", "--format", "{{.Name}}", timeout=LOOK).stdout
    if name not in listed.split():
        return None
    answer = engine.run("network", "inspect", name, timeout=LOOK, check=False)
    raw = json.loads(answer.stdout or "[]") if answer.code == 0 else []
    if not raw:
        return None
    on_it = engine.run("ps", "-a", "--filter", f"network={name}", "--format", "{{.Names}}", timeout=LOOK).stdout
    return _network(raw[0], tuple(sorted(on_it.split())))


def _network(raw: Mapping[str, Any], containers: tuple[str, ...]) -> ContainerNet:
    """podman writes subnets[].subnet, docker IPAM.Config[].Subnet."""
    ranges: Sequence[Mapping[str, str]] = raw.get("subnets") or (raw.get("IPAM") or {}).get("Config") or []
    first = {key.lower(): value for key, value in ranges[0].items()} if ranges else {}
    return ContainerNet(
        name=raw.get("name") or raw["Name"],
        subnet=first.get("subnet", ""),
        gateway=first.get("gateway", ""),
        labels=raw.get("labels") or raw.get("Labels") or {},
        containers=containers,
    )


def refuse_strangers(found: Iterable[Container], owner: str, engine: Engine, where: str) -> None:
    """Raise OwnershipError when one of them was not made by this checkout."""
    strangers = [c for c in found if c.owner != owner]
    if not strangers:
        return
    first = strangers[0]
    raise OwnershipError(
        f"the container {first.name} is there already and was made {first.maker}; it stays as it is",
        where=where,
        command=f"{engine.name} inspect {first.name}",
        output="\n".join(f"{c.name}  {c.state}  {c.id[:12]}  made {c.maker}" for c in strangers),
        hint="give this stack another name, or remove the other cluster where it was made",
    )


def remove(engine: Engine, found: Sequence[Container]) -> None:
    """Remove containers and their volumes at once: their own shutdown takes ten seconds and saves nothing."""
    if not found:
        return
    ids = [c.id for c in found]
    words = ("rm", "--force", "--volumes", *(("--time", "0", "--ignore") if engine.name == "podman" else ()), *ids)
    gone = engine.run(*words, timeout=120, check=False)
    if gone.code != 0 and "No such container" not in gone.stderr:
        engine.run(*words, timeout=120)  # one that ended at that moment is no longer what the engine takes it for
    cgroups.remove(ids)


def remove_volumes(engine: Engine, stack: str, owner: str) -> None:
    """Remove the volumes that a lab made; kind names its podman volumes, so they do not go with the container."""
    listed = engine.run("volume", "ls", "--quiet", "--filter", f"label={STACK}={stack}", timeout=LOOK).stdout.split()
    if not listed:
        return
    seen = json.loads(engine.run("volume", "inspect", *listed, timeout=LOOK, check=False).stdout or "[]")
    names = [volume["Name"] for volume in seen if (volume.get("Labels") or {}).get(OWNER) == owner]
    if names:
        engine.run("volume", "rm", "--force", *names, timeout=LOOK)
