"""What a lab can leave behind on a host, as typed values, parsed from what the host's programs print. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from modules.host.firewall import Rule
from modules.host.network import EngineNetwork, Route

# The marks that the local backends put on what they make (modules.local.owner).
STACK_LABEL, OWNER_LABEL = "stacklab.stack", "stacklab.owner"
PREFIX = "stacklab-"
# Trees that only engines, kubelets and we make; the rest of a host's mounts and groups comes and goes on its own.
_GROUP = re.compile(r"libpod|docker|kube|machine|stacklab|minikube|containerd|crio|buildah")
_MOUNT = re.compile(r"^/(var/lib/containers|run/containers|run/netns|var/lib/docker|run/docker)|stacklab")

_HOSTS_BLOCK = re.compile(r"# stacklab:(?P<lab>\S+) (?P<mark>begin|end)$")


@dataclass(frozen=True)
class Item:
    """Something on the host. owner: the lab whose mark it carries, "" without a mark."""

    kind: str
    name: str
    detail: str = ""  # words that tell what it belongs to; the name is always among them
    owner: str = ""
    remove: str = ""
    chains: tuple[str, ...] = ()  # firewall only


@dataclass(frozen=True)
class Living:
    """A container or network that exists, and the words and ranges by which its traces are known."""

    owner: str  # a lab, or "" for a stranger's
    words: frozenset[str]
    ranges: tuple[str, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """Everything seen in one look. unread: kinds that could not be read, with the reason."""

    items: tuple[Item, ...]
    living: tuple[Living, ...]
    unread: tuple[str, ...] = ()


Part = tuple[list[Item], list[Living]]  # what a reader of one kind of thing hands back


def lab_of(labels: Mapping[str, str] | None, us: str) -> str:
    """The lab whose labels an object of the engine carries; one of another checkout is told by its owner."""
    labels = labels or {}
    stack, owner = labels.get(STACK_LABEL, ""), labels.get(OWNER_LABEL, us)
    return stack if not stack or owner == us else f"{stack} of {owner}"


def lab_named(name: str) -> str:
    """The lab that a thing without labels is named after."""
    return name.removeprefix(PREFIX) if name.startswith(PREFIX) else ""


def parse_containers(text: str, engine: str, us: str) -> Part:
    """`container inspect` of docker or podman."""
    items, living = [], []
    for row in json.loads(text or "[]"):
        name = row["Name"].lstrip("/")
        owner = lab_of((row.get("Config") or {}).get("Labels"), us)
        items.append(Item("container", name, owner=owner, remove=f"{engine} rm --force --volumes {name}"))
        living.append(Living(owner, frozenset({name, row["Id"], *_traces(row)})))
    return items, living


def _traces(row: dict[str, Any]) -> Iterator[str]:
    settings = row.get("NetworkSettings") or {}
    data = (row.get("GraphDriver") or {}).get("Data") or {}
    yield from (m["Name"] for m in row.get("Mounts") or () if m.get("Name"))
    if settings.get("SandboxKey"):
        yield Path(settings["SandboxKey"]).name
    if data.get("UpperDir"):
        yield Path(data["UpperDir"]).parent.name


def from_networks(nets: Iterable[EngineNetwork], engine: str, us: str) -> Part:
    """The engine's networks."""
    items, living = [], []
    for net in nets:
        owner = lab_of(dict(net.labels), us)
        items.append(Item("network", net.name, owner=owner, remove=f"{engine} network rm {net.name}"))
        living.append(Living(owner, frozenset({net.name, net.device}), net.ranges))
    return items, living


def parse_volumes(text: str, engine: str, us: str) -> Part:
    """`volume inspect` of docker or podman."""
    return [
        Item("volume", row["Name"], owner=lab_of(row["Labels"], us), remove=f"{engine} volume rm {row['Name']}")
        for row in json.loads(text or "[]")
    ], []


def parse_links(text: str) -> Iterator[Item]:
    """`ip -j -d link`."""
    for row in json.loads(text or "[]"):
        kind = (row.get("linkinfo") or {}).get("info_kind", "device")
        name = row["ifname"]
        yield Item("link", name, f"{name} {kind} {row.get('master', '')}", remove=f"ip link delete {name}")


def from_routes(routes: Iterable[Route]) -> Iterator[Item]:
    """The host's routes."""
    for one in routes:
        words = f"{one.range} dev {one.device}"
        yield Item("route", words, remove=f"ip route delete {words}")


def from_rules(rules: Iterable[Rule]) -> Iterator[Item]:
    """Firewall rules; the same rule twice is one item."""
    for rule in dict.fromkeys(rules):
        yield Item("firewall", rule.text, remove=rule.remove, chains=rule.chains)


def parse_mounts(text: str) -> Iterator[Item]:
    """/proc/mounts, the mount points that engines make."""
    for point in dict.fromkeys(line.split()[1] for line in text.splitlines()):
        if _MOUNT.search(point):
            yield Item("mount", point, remove=f"umount {point}")


def from_groups(folders: Iterable[str], root: str) -> Iterator[Item]:
    """Folders of the cgroup trees under root, those that engines and kubelets make."""
    for path in folders:
        if _GROUP.search(path[len(root) :]):
            yield Item("cgroup", path, remove=f"find {path} -depth -type d -delete")


def parse_hierarchies(text: str) -> Iterator[Item]:
    """/proc/cgroups: controllers that the kernel has a version 1 hierarchy for."""
    for row in (line.split() for line in text.splitlines() if not line.startswith("#")):
        if row[1] != "0":
            yield Item("cgroup hierarchy", row[0], remove="reboot (the kernel keeps it until nothing uses it)")


def from_engine_file(path: Path) -> Item:
    """A file that engines and network plugins keep for each network; its name says which."""
    return Item("engine file", str(path), f"{path} {path.stem}", remove=f"rm -r {path}")


def parse_contexts(text: str) -> Iterator[Item]:
    """The contexts of a kubeconfig."""
    try:
        known = yaml.safe_load(text) or {}
    except yaml.YAMLError:
        return
    for context in (known.get("contexts") or ()) if isinstance(known, dict) else ():
        name = str(context.get("name", ""))
        owner = lab_named(name.removeprefix("kind-"))
        yield Item("kubeconfig context", name, owner=owner, remove=f"kubectl config delete-context {name}")


def parse_hosts(text: str) -> Iterator[Item]:
    """The hosts file; lines of a block that `stacklab hosts` wrote carry the lab that the block names."""
    lab = ""
    for line in text.splitlines():
        if block := _HOSTS_BLOCK.match(line):
            lab = block["lab"]
        if line.strip():
            yield Item("hosts line", line, owner=lab, remove=f"stacklab hosts {lab} --remove" if lab else "")
        if block and block["mark"] == "end":
            lab = ""
