"""One look at everything on the host that a lab could leave behind. Reads only; half a second.

receipt compares two such looks; `Item.detail` is what tells whose an item is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from modules.base import paths, shell
from modules.host import firewall, network
from modules.host.engine import Engine

# The marks that the local backends put on what they make (modules.local.owner).
STACK_LABEL, OWNER_LABEL = "stacklab.stack", "stacklab.owner"
PREFIX = "stacklab-"
SYSCTLS = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/bridge/bridge-nf-call-iptables")
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


Part = tuple[list[Item], list[Living]]


def take(engine: Engine | None) -> Snapshot:
    """Look at the whole host. engine None: no engine works here, so its objects cannot be listed."""
    parts: list[Callable[[], Part]] = [_links, _routes, _firewall, _domains, _files_of_the_host]
    if engine:
        one = engine
        parts += [lambda: _containers(one), lambda: _networks(one), lambda: _volumes(one), lambda: _images(one)]
    with ThreadPoolExecutor(len(parts)) as pool:
        done = list(pool.map(lambda part: part(), parts))
    unread = [] if engine else ["containers, networks, volumes: no container engine works"]
    if os.geteuid() != 0:
        unread.append("firewall rules: only root can read them")
    items = chain.from_iterable(found for found, _ in done)
    return Snapshot(tuple(items), tuple(chain.from_iterable(alive for _, alive in done)), tuple(unread))


def lab_of(labels: Mapping[str, str] | None, us: str) -> str:
    """The lab whose labels an object of the engine carries; one of another checkout is told by its owner."""
    labels = labels or {}
    stack, owner = labels.get(STACK_LABEL, ""), labels.get(OWNER_LABEL, us)
    return stack if not stack or owner == us else f"{stack} of {owner}"


def lab_named(name: str) -> str:
    """The lab that a thing without labels is named after."""
    return name.removeprefix(PREFIX) if name.startswith(PREFIX) else ""


def _us() -> str:
    return _file(paths.work() / "owner").strip()


def _containers(engine: Engine) -> Part:
    ids = engine.run("ps", "--all", "--quiet", timeout=20).stdout.split()
    # One that is removed meanwhile makes inspect fail; the others are still in its output.
    text = engine.run("container", "inspect", *ids, timeout=20, check=False).stdout if ids else "[]"
    return parse_containers(text, engine.name, _us())


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


def _networks(engine: Engine) -> Part:
    items, living, us = [], [], _us()
    for net in network.networks(engine):
        owner = lab_of(dict(net.labels), us)
        items.append(Item("network", net.name, owner=owner, remove=f"{engine.name} network rm {net.name}"))
        living.append(Living(owner, frozenset({net.name, net.device}), net.ranges))
    return items, living


def _volumes(engine: Engine) -> Part:
    names = engine.run("volume", "ls", "--quiet", timeout=20).stdout.split()
    text = engine.run("volume", "inspect", *names, timeout=20, check=False).stdout if names else "[]"
    us = _us()
    return [
        Item("volume", row["Name"], owner=lab_of(row["Labels"], us), remove=f"{engine.name} volume rm {row['Name']}")
        for row in json.loads(text or "[]")
    ], []


def _images(engine: Engine) -> Part:
    names = engine.run("images", "--format", "{{.Repository}}:{{.Tag}}", timeout=20).stdout.split()
    return [Item("image", name, remove=f"{engine.name} rmi {name}") for name in dict.fromkeys(names)], []


def _links() -> Part:
    return list(parse_links(shell.run(["ip", "-j", "-d", "link"], timeout=10).stdout)), []


def parse_links(text: str) -> Iterator[Item]:
    """`ip -j -d link`."""
    for row in json.loads(text or "[]"):
        kind = (row.get("linkinfo") or {}).get("info_kind", "device")
        name = row["ifname"]
        yield Item("link", name, f"{name} {kind} {row.get('master', '')}", remove=f"ip link delete {name}")


def _routes() -> Part:
    return [
        Item("route", f"{r.range} dev {r.device}", remove=f"ip route delete {r.range} dev {r.device}")
        for r in network.routes()
    ], []


def _firewall() -> Part:
    if os.geteuid() != 0:
        return [], []
    rules: list[firewall.Rule] = []
    for program in ("iptables", "ip6tables", "iptables-legacy", "ip6tables-legacy"):
        if shutil.which(f"{program}-save"):
            rules += firewall.parse_iptables(_said(f"{program}-save"), program)
    if shutil.which("nft"):
        rules += firewall.parse_nft(_said("nft", "list", "ruleset"))
    return [Item("firewall", r.text, remove=r.remove, chains=r.chains) for r in dict.fromkeys(rules)], []


def _domains() -> Part:
    if not shutil.which("virsh"):
        return [], []
    uri = "qemu:///system"
    domains = _said("virsh", "-c", uri, "list", "--all", "--name").split()
    nets = _said("virsh", "-c", uri, "net-list", "--all", "--name").split()
    items = [Item("domain", d, owner=lab_named(d), remove=f"virsh -c {uri} undefine --nvram {d}") for d in domains]
    items += [Item("libvirt network", n, owner=lab_named(n), remove=f"virsh -c {uri} net-undefine {n}") for n in nets]
    return items, []


def _said(*argv: str) -> str:
    return shell.run(argv, timeout=5, check=False).stdout


def _files_of_the_host() -> Part:
    return [*_mounts(), *_groups(), *_sysctls(), *_engine_files(), *_lab_files(), *_contexts(), *_hosts(), *_ours()], []


def _mounts() -> Iterator[Item]:
    yield from parse_mounts(Path("/proc/mounts").read_text())


def parse_mounts(text: str) -> Iterator[Item]:
    """/proc/mounts, the mount points that engines make."""
    for point in dict.fromkeys(line.split()[1] for line in text.splitlines()):
        if _MOUNT.search(point):
            yield Item("mount", point, remove=f"umount {point}")


def _groups() -> Iterator[Item]:
    yield from parse_hierarchies(_file("/proc/cgroups"))
    root = "/sys/fs/cgroup"
    for folder, names, _ in os.walk(root):
        for name in names:
            if _GROUP.search(name) or _GROUP.search(folder[len(root) :]):
                path = f"{folder}/{name}"
                yield Item("cgroup", path, remove=f"find {path} -depth -type d -delete")


def parse_hierarchies(text: str) -> Iterator[Item]:
    """/proc/cgroups: controllers that the kernel has a version 1 hierarchy for."""
    for row in (line.split() for line in text.splitlines() if not line.startswith("#")):
        if row[1] != "0":
            yield Item("cgroup hierarchy", row[0], remove="reboot (the kernel keeps it until nothing uses it)")


def _sysctls() -> Iterator[Item]:
    for name in SYSCTLS:
        value = _file(f"/proc/sys/{name}").strip()
        if value:
            yield Item("sysctl", f"{name.replace('/', '.')}={value}", remove=f"sysctl {name.replace('/', '.')}=0")


def _engine_files() -> Iterator[Item]:
    folders = ("/etc/containers/networks", "/run/containers/networks/aardvark-dns", "/etc/cni/net.d", "/var/lib/cni")
    for folder in map(Path, folders):
        if os.access(folder, os.R_OK | os.X_OK):
            yield from (
                Item("engine file", str(p), f"{p} {p.stem}", remove=f"rm -r {p}") for p in sorted(folder.iterdir())
            )


def _lab_files() -> Iterator[Item]:
    for folder in sorted(paths.work().glob("labs/*")):
        for path in sorted(p for p in folder.rglob("*") if not p.is_dir()) or [folder]:
            yield Item("file", str(path), owner=folder.name, remove=f"rm -r {path}")


def _contexts() -> Iterator[Item]:
    try:
        known = yaml.safe_load(_file(Path.home() / ".kube" / "config")) or {}
    except yaml.YAMLError:
        return
    for context in (known.get("contexts") or ()) if isinstance(known, dict) else ():
        name = str(context.get("name", ""))
        owner = lab_named(name.removeprefix("kind-"))
        yield Item("kubeconfig context", name, owner=owner, remove=f"kubectl config delete-context {name}")


def _hosts() -> Iterator[Item]:
    yield from parse_hosts(_file("/etc/hosts"))


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


def _ours() -> Iterator[Item]:
    """Processes that name a lab in their arguments, ourselves and those above us left out."""
    above = set(_ancestors())
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) not in above:
            words = _file(entry / "cmdline").replace("\0", " ").strip()
            if PREFIX in words or str(paths.work() / "labs") in words:
                short = words if len(words) < 200 else f"{words[:200]} ..."
                yield Item("process", f"{entry.name} {short}", words, remove=f"kill {entry.name}")


def _ancestors() -> Iterable[int]:
    pid = os.getpid()
    while pid > 1:
        yield pid
        status = _file(f"/proc/{pid}/stat")
        pid = int(status.rpartition(")")[2].split()[1]) if status else 0


def _file(path: str | Path) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
