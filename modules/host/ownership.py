"""Whose is a thing on the host? By its mark, by the living container or network it belongs to, by what engines leave.

Pure: works on a Snapshot. Used by receipt.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from enum import Enum

from modules.host.traces import PREFIX, Item, Living, Snapshot


class Owner(Enum):
    """Who answers for an item."""

    LAB = "this lab"
    PART = "a living container or network of this lab"  # goes with it
    OTHER = "another lab"
    OTHERS_PART = "a living container or network that is not this lab's"
    ENGINE = "the container engine itself"
    IMAGE = "kept on purpose"
    UNKNOWN = "nobody that is alive"  # of a kind that labs make: counts as left behind
    STRANGER = "not of a kind that labs make"


# What podman, docker and their network plugins make at first use, share between all containers and never take away.
_RESIDUE = (
    ("firewall", re.compile(r"NETAVARK(_FORWARD|_INPUT|-HOSTPORT-|_ISOLATION|-ISOLATION)|(-A|-N|-j) DOCKER")),
    ("firewall", re.compile(r"^nft table (inet netavark|ip6? docker)|^ip6?tables(-legacy)? -t \w+ -P ")),
    ("firewall", re.compile(r"netavark firewall plugin rules")),
    ("mount", re.compile(r"^/run/netns$|^/var/lib/containers/storage/overlay$|^/run/docker/netns/default$")),
    (
        "cgroup",
        re.compile(r"/(libpod_parent|docker|machine\.slice)(/conmon)?$|/system\.slice/[\w-]+\.(service|socket)$"),
    ),
    ("sysctl", re.compile(r"")),
    ("network", re.compile(r"^(podman|bridge|host|none)$")),
    # libvirt's daemon makes its chains once for all its networks; those of a daemon of ours go with it.
    ("firewall", re.compile(r"LIBVIRT_(INP|OUT|FWI|FWO|FWX|PRT)")),
    ("link", re.compile(r"^(podman0|docker0)\b")),
    ("route", re.compile(r"dev (podman0|docker0)$")),
    (
        "engine file",
        re.compile(r"\.lock$|/aardvark\.pid$|/87-podman-bridge\.conflist$|/(results|networks)$"),
    ),
)
# A rule for one network or container is never the engine's own, whatever chain it is in.
_SPECIFIC = re.compile(
    r"\b(?!127\.|0\.0\.0\.0|224\.)\d+\.\d+\.\d+\.\d+|\b(br-[0-9a-f]+|podman[1-9]\d*|veth\w+)|[0-9a-f]{64}|NETAVARK-(DN-)?[0-9A-F]{13}"
)
_LAB_LINKS = re.compile(r" (bridge|veth|vxlan|macvlan) |^vnet\d|^sl-")
_LAB_RULES = re.compile(r"podman|netavark|docker|cni|stacklab|kube|cali|libvirt|virbr|veth|br-", re.IGNORECASE)
_TRAFFIC = {"firewall", "route"}
_WORD = re.compile(r"[\w.@-]+")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+(?:/\d+)?")
_MEANT = {
    *("volume", "mount", "cgroup", "cgroup hierarchy", "engine file"),
    *("libvirt volume", "libvirt pool", "libvirt daemon", "libvirt files"),
}


def owners(now: Snapshot, lab: str, fresh: Iterable[Item]) -> Mapping[Item, Owner]:
    """The owner of each item of `fresh`, which are items of `now`."""
    fresh = tuple(fresh)
    chains = _chains(now, lab)
    gone = {item.name for item in fresh if item.kind == "link" and _owner(item, now, lab, chains) is Owner.UNKNOWN}
    return {item: _owner(item, now, lab, chains, gone) for item in fresh}


def _owner(item: Item, now: Snapshot, lab: str, chains: Mapping[str, Owner], gone: Iterable[str] = ()) -> Owner:
    if item.kind == "image":
        return Owner.IMAGE
    if item.owner:
        return Owner.LAB if item.owner == lab else Owner.OTHER
    explained = _by_the_living(item, now.living, lab)
    if explained:
        return explained
    if item.kind == "volume" and item.name.startswith(f"{PREFIX}{lab}-"):
        return Owner.LAB
    if _marked(f"{item.name} {item.detail}", lab):
        return Owner.LAB
    for name in item.chains:
        if name in chains:
            return chains[name]
    if _residue(item.kind, item.name):
        return Owner.ENGINE
    return Owner.UNKNOWN if _of_a_lab_kind(item, set(gone)) else Owner.STRANGER


def _residue(kind: str, name: str) -> bool:
    if kind == "firewall" and _SPECIFIC.search(name):
        return False
    return any(kind == k and pattern.search(name) for k, pattern in _RESIDUE)


def _by_the_living(item: Item, living: Iterable[Living], lab: str) -> Owner | None:
    text = f"{item.name} {item.detail}"
    words = set(_WORD.findall(text))
    addresses = [ipaddress.ip_network(a, strict=False) for a in _ADDRESS.findall(text)] if item.kind in _TRAFFIC else []
    for one in living:
        # Ids are found inside longer words: libpod-<id>.scope
        hit = words & one.words or any(len(w) == 64 and w in text for w in one.words)
        if hit or any(_inside(a, r) for a in addresses for r in one.ranges):
            return Owner.PART if one.owner == lab else Owner.OTHERS_PART
    return None


def _inside(address: ipaddress.IPv4Network | ipaddress.IPv6Network, wider: str) -> bool:
    range_ = ipaddress.ip_network(wider, strict=False)
    if isinstance(address, ipaddress.IPv4Network) and isinstance(range_, ipaddress.IPv4Network):
        return address.subnet_of(range_)
    return False


def _chains(now: Snapshot, lab: str) -> Mapping[str, Owner]:
    """Chains belong to whom their rules belong to: netavark's carry a hash, only the rules beside it an address."""
    found: dict[str, Owner] = {}
    for item in now.items:
        owner = _by_the_living(item, now.living, lab) if item.chains else None
        if owner:
            shared = (c in _BUILT_IN or _residue("firewall", f"-N {c}") for c in item.chains)
            found.update((c, owner) for c, common in zip(item.chains, shared, strict=True) if not common)
    return found


_BUILT_IN = {"INPUT", "OUTPUT", "FORWARD", "PREROUTING", "POSTROUTING", "ACCEPT", "DROP", "MASQUERADE", "DNAT", "SNAT"}


def _marked(text: str, lab: str) -> bool:
    """The lab's name as a whole word, with or without the name of one of its machines after it."""
    machine = r"(-(control-plane|worker|external-load-balancer)\d*)?"
    named = rf"(?<![\w-]){re.escape(PREFIX + lab)}{machine}(?![\w-])"
    return re.search(rf"{named}|\.stacklab/labs/{re.escape(lab)}(/|$)", text) is not None


def _of_a_lab_kind(item: Item, gone_links: set[str]) -> bool:
    if item.kind == "link":
        return _LAB_LINKS.search(item.detail) is not None
    if item.kind == "route":
        return item.name.split(" dev ")[1] in gone_links
    if item.kind == "firewall":
        return _LAB_RULES.search(item.name) is not None
    return item.kind in _MEANT
