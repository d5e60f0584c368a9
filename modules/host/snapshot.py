"""One look at everything on the host that a lab could leave behind. Reads only; half a second.

receipt compares two such looks; `Item.detail` is what tells whose an item is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

from modules.base import paths, shell
from modules.host import firewall, network, traces
from modules.host.engine import Engine
from modules.host.libvirt import look as libvirt_look
from modules.host.traces import PREFIX, Item, Part, Snapshot

SYSCTLS = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/bridge/bridge-nf-call-iptables")


def take(engine: Engine | None) -> Snapshot:
    """Look at the whole host. engine None: no engine works here, so its objects cannot be listed."""
    parts: list[Callable[[], Part]] = [_links, _routes, _firewall, _files_of_the_host]
    if engine:
        one = engine
        parts += [lambda: _containers(one), lambda: _networks(one), lambda: _volumes(one), lambda: _images(one)]
    with ThreadPoolExecutor(len(parts) + 1) as pool:
        libvirt = pool.submit(libvirt_look.take, _us())
        done = list(pool.map(lambda part: part(), parts))
    machines, unanswered = libvirt.result()
    done.append(machines)
    unread = [] if engine else ["containers, networks, volumes: no container engine works"]
    if os.geteuid() != 0:
        unread.append("firewall rules: only root can read them")
    unread += unanswered
    items = chain.from_iterable(found for found, _ in done)
    return Snapshot(tuple(items), tuple(chain.from_iterable(alive for _, alive in done)), tuple(unread))


def _us() -> str:
    return _file(paths.work() / "owner").strip()


def _containers(engine: Engine) -> Part:
    ids = engine.run("ps", "--all", "--quiet", timeout=20).stdout.split()
    # One that is removed meanwhile makes inspect fail; the others are still in its output.
    text = engine.run("container", "inspect", *ids, timeout=20, check=False).stdout if ids else "[]"
    return traces.parse_containers(text, engine.name, _us())


def _networks(engine: Engine) -> Part:
    return traces.from_networks(network.networks(engine), engine.name, _us())


def _volumes(engine: Engine) -> Part:
    names = engine.run("volume", "ls", "--quiet", timeout=20).stdout.split()
    text = engine.run("volume", "inspect", *names, timeout=20, check=False).stdout if names else "[]"
    return traces.parse_volumes(text, engine.name, _us())


def _images(engine: Engine) -> Part:
    names = engine.run("images", "--format", "{{.Repository}}:{{.Tag}}", timeout=20).stdout.split()
    return [Item("image", name, remove=f"{engine.name} rmi {name}") for name in dict.fromkeys(names)], []


def _links() -> Part:
    return list(traces.parse_links(shell.run(["ip", "-j", "-d", "link"], timeout=10).stdout)), []


def _routes() -> Part:
    return list(traces.from_routes(network.routes())), []


def _firewall() -> Part:
    if os.geteuid() != 0:
        return [], []
    rules: list[firewall.Rule] = []
    for program in ("iptables", "ip6tables", "iptables-legacy", "ip6tables-legacy"):
        if shutil.which(f"{program}-save"):
            rules += firewall.parse_iptables(_said(f"{program}-save"), program)
    if shutil.which("nft"):
        rules += firewall.parse_nft(_said("nft", "list", "ruleset"))
    return list(traces.from_rules(rules)), []


def _said(*argv: str) -> str:
    return shell.run(argv, timeout=5, check=False).stdout


def _files_of_the_host() -> Part:
    return [*_mounts(), *_groups(), *_sysctls(), *_engine_files(), *_lab_files(), *_contexts(), *_hosts(), *_ours()], []


def _mounts() -> Iterator[Item]:
    yield from traces.parse_mounts(Path("/proc/mounts").read_text())


def _groups() -> Iterator[Item]:
    yield from traces.parse_hierarchies(_file("/proc/cgroups"))
    root = "/sys/fs/cgroup"
    folders = (f"{folder}/{name}" for folder, names, _ in os.walk(root) for name in names)
    yield from traces.from_groups(folders, root)


def _sysctls() -> Iterator[Item]:
    for name in SYSCTLS:
        value = _file(f"/proc/sys/{name}").strip()
        if value:
            yield Item("sysctl", f"{name.replace('/', '.')}={value}", remove=f"sysctl {name.replace('/', '.')}=0")


def _engine_files() -> Iterator[Item]:
    folders = ("/etc/containers/networks", "/run/containers/networks/aardvark-dns", "/etc/cni/net.d", "/var/lib/cni")
    for folder in map(Path, folders):
        if os.access(folder, os.R_OK | os.X_OK):
            yield from map(traces.from_engine_file, sorted(folder.iterdir()))


def _lab_files() -> Iterator[Item]:
    for folder in sorted(paths.work().glob("labs/*")):
        for path in sorted(p for p in folder.rglob("*") if not p.is_dir()) or [folder]:
            yield Item("file", str(path), owner=folder.name, remove=f"rm -r {path}")


def _contexts() -> Iterator[Item]:
    yield from traces.parse_contexts(_file(Path.home() / ".kube" / "config"))


def _hosts() -> Iterator[Item]:
    yield from traces.parse_hosts(_file("/etc/hosts"))


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
