"""Which address ranges are taken on this host: its routes, and the networks of the container engine.

Preview asks `conflicts` before a lab's range is used; the lab's own network is named so that it does not count.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from modules.base import shell
from modules.host.engine import Engine


@dataclass(frozen=True)
class Route:
    """One destination the host has a way to."""

    range: str
    device: str


@dataclass(frozen=True)
class EngineNetwork:
    """A network of docker or podman; the device exists only while a container is on it (podman)."""

    name: str
    device: str
    ranges: tuple[str, ...]
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Conflict:
    """A range asked for, and what already has (a part of) it."""

    range: str
    taken: str
    by: str  # "route of device eth0", "podman network kind"

    def __str__(self) -> str:
        return f"range {self.range} overlaps with {self.taken}, {self.by}"


def routes() -> tuple[Route, ...]:
    """The host's IPv4 routes, default routes left out."""
    return parse_routes(shell.run(["ip", "-j", "-4", "route", "show", "table", "all"], timeout=10).stdout)


def networks(engine: Engine) -> tuple[EngineNetwork, ...]:
    """All networks of the engine."""
    if engine.name == "podman":
        return parse_networks(engine.run("network", "ls", "--format", "json", timeout=20).stdout)
    ids = engine.run("network", "ls", "--quiet", timeout=20).stdout.split()
    return parse_networks(engine.run("network", "inspect", *ids, timeout=20, check=False).stdout) if ids else ()


def conflicts(wanted: str, *, engine: Engine | None = None, own: str = "") -> tuple[Conflict, ...]:
    """What on this host overlaps with the range. own: the lab's own network, which may have it already."""
    return overlaps(wanted, routes(), networks(engine) if engine else (), own=own, engine=engine.name if engine else "")


def overlaps(
    wanted: str, known: Iterable[Route], nets: Iterable[EngineNetwork], *, own: str = "", engine: str = ""
) -> tuple[Conflict, ...]:
    """The pure part of `conflicts`. A network that is named wins over the route of its device."""
    nets = tuple(nets)
    explained = {net.device for net in nets}
    found = [
        Conflict(wanted, taken, f"{engine} network {net.name}".strip())
        for net in nets
        if net.name != own
        for taken in net.ranges
        if _overlap(wanted, taken)
    ]
    found += [
        Conflict(wanted, route.range, f"route of device {route.device}")
        for route in known
        if route.device not in explained and _overlap(wanted, route.range)
    ]
    return tuple(dict.fromkeys(found))


def parse_routes(text: str) -> tuple[Route, ...]:
    """`ip -j route`: unicast destinations only; a host's own addresses are in the routes of their devices."""
    rows: list[dict[str, Any]] = json.loads(text or "[]")
    found = [
        Route(row["dst"] if "/" in row["dst"] else f"{row['dst']}/32", row.get("dev", ""))
        for row in rows
        if row.get("type", "unicast") == "unicast" and row["dst"] != "default"
    ]
    return tuple(dict.fromkeys(found))


def parse_networks(text: str) -> tuple[EngineNetwork, ...]:
    """podman's or docker's JSON list of networks."""
    return tuple(_podman(row) if "name" in row else _docker(row) for row in json.loads(text or "[]"))


def _podman(row: dict[str, Any]) -> EngineNetwork:
    ranges = tuple(subnet["subnet"] for subnet in row.get("subnets") or ())
    return EngineNetwork(row["name"], row.get("network_interface", ""), ranges, _labels(row.get("labels")))


def _docker(row: dict[str, Any]) -> EngineNetwork:
    options = row.get("Options") or {}
    device = options.get("com.docker.network.bridge.name") or f"br-{row['Id'][:12]}"
    config = (row.get("IPAM") or {}).get("Config") or ()
    ranges = tuple(part["Subnet"] for part in config if part.get("Subnet"))
    return EngineNetwork(row["Name"], device, ranges, _labels(row.get("Labels")))


def _labels(found: dict[str, str] | None) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((found or {}).items()))


def _overlap(one: str, other: str) -> bool:
    return ipaddress.ip_network(one, strict=False).overlaps(ipaddress.ip_network(other, strict=False))
