"""What labs have in libvirt, for the receipt: domains, networks, volumes, pools, a daemon of our own. Reads only."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from modules.host.libvirt import mark, place
from modules.host.traces import PREFIX, Item, Living, Part

_WAIT = re.compile(r"^[a-z]+\+")


def take(us: str) -> tuple[Part, tuple[str, ...]]:
    """Everything in all libvirts that labs of this checkout use or have used, and which of them did not answer."""
    items: list[Item] = list(_daemon())
    living: list[Living] = []
    unread: list[str] = []
    try:
        import libvirt
    except ImportError:
        return (items, living), ()
    libvirt.registerErrorHandler(lambda *_: None, None)
    for uri in _uris():
        try:
            connection = libvirt.open(uri)
        except libvirt.libvirtError as error:
            if _expected(uri):
                unread.append(f"libvirt objects of {uri}: {error}")
            continue
        try:
            found, alive = objects(connection, uri, us)
        except libvirt.libvirtError as error:
            unread.append(f"libvirt objects of {uri}: {error}")
        else:
            items += found
            living += alive
        finally:
            connection.close()
    return (items, living), tuple(unread)


def objects(connection: Any, uri: str, us: str) -> Part:
    """The domains, networks, volumes and pools of one libvirt."""
    virsh = f"virsh -c '{uri}'"
    items: list[Item] = []
    living: list[Living] = []
    for domain in connection.listAllDomains():
        name, whose = domain.name(), _lab(mark.read(domain.XMLDesc()), us)
        remove = f"{virsh} destroy {name}; {virsh} undefine --nvram {name}"
        items.append(Item("domain", name, owner=whose, remove=remove))
        living.append(Living(whose, frozenset({name, domain.UUIDString(), *_devices(domain.XMLDesc())})))
    for net in connection.listAllNetworks():
        name, xml = net.name(), net.XMLDesc()
        whose = _lab(mark.read(xml), us)
        remove = f"{virsh} net-destroy {name}; {virsh} net-undefine {name}"
        items.append(Item("libvirt network", name, owner=whose, remove=remove))
        words = {name, f"{name}.conf", net.bridgeName()} - {""}
        living.append(Living(whose, frozenset(words), tuple(_ranges(xml))))
    for pool in connection.listAllStoragePools():
        if pool.UUIDString() != mark.POOL_UUID:
            continue
        volumes = [volume.name() for volume in pool.listAllVolumes()] if pool.isActive() else []
        items += _volumes(volumes, virsh, us)
        if not volumes:  # with volumes in it, it belongs to those
            items.append(Item("libvirt pool", pool.name(), remove=f"{virsh} pool-destroy {pool.name()}"))
    return items, living


def _lab(found: mark.Mark | None, us: str) -> str:
    if found is None:
        return ""
    return found.stack if found.owner == us else f"{found.stack} of {found.owner}"


def _volumes(names: Iterable[str], virsh: str, us: str) -> Iterator[Item]:
    names = tuple(names)
    for name in names:
        # A shared one belongs to the first lab that uses it.
        users = [lab_of_volume(n, us) for n in names if n.startswith(f"{name.removesuffix('.whole')}.used-by.")]
        owner = lab_of_volume(name, us) or next(iter(users), "")
        yield Item("libvirt volume", name, owner=owner, remove=f"{virsh} vol-delete {name} {mark.POOL}")


_OWN = re.compile(rf"(?:^|\.used-by\.){PREFIX}(?P<stack>.+?)\.(?P<owner>[0-9a-f]{{16}})(?:\.|$)")


def lab_of_volume(name: str, us: str) -> str:
    """The lab that a volume belongs to by its name; shared ones belong to those that use them."""
    found = _OWN.search(name)
    if not found:
        return ""
    return found["stack"] if found["owner"] == us else f"{found['stack']} of {found['owner']}"


def _devices(xml: str) -> Iterator[str]:
    for target in ElementTree.fromstring(xml).iterfind("devices/interface/target"):  # noqa: S314  # libvirt's own
        if target.get("dev"):
            yield str(target.get("dev"))


def _ranges(xml: str) -> Iterator[str]:
    for ip in ElementTree.fromstring(xml).iterfind("ip"):  # noqa: S314  # libvirt's own
        if ip.get("address") and (ip.get("netmask") or ip.get("prefix")):
            yield f"{ip.get('address')}/{ip.get('netmask') or ip.get('prefix')}"


def _uris() -> Iterable[str]:
    ours = place.here()
    # Also the daemons of other checkouts: what their machines have on this host is not left behind by ours.
    found = [ours.uri] if ours.pid() else []
    found += place.daemons()
    if Path("/run/libvirt").is_dir() or shutil.which("systemctl"):
        found.append(place.SYSTEM)
    return dict.fromkeys([*found, *(uri for uri in place.used() if uri != place.SYSTEM)])


def _expected(uri: str) -> bool:
    """Whether it is news that this libvirt does not answer: a host without labs need not run one."""
    if uri == place.SYSTEM:
        return any(lab == uri for lab in place.labs().values()) and not place.here().made
    return bool(urlsplit(uri).hostname) or _WAIT.match(uri) is not None


def _daemon() -> Iterator[Item]:
    """The daemon that this checkout started: it belongs to the labs that use it, and to nobody when there are none."""
    ours = place.here()
    pid = ours.pid()
    whose = next(iter(place.labs()), "")
    if pid:
        remove = f"kill {pid}; rm -r {ours.folder} {ours.run}"
        yield Item("libvirt daemon", f"{pid} {ours.socket}", f"{pid} {ours.socket}", owner=whose, remove=remove)
    for folder in (ours.folder, ours.run):
        if folder.exists():
            yield Item("libvirt files", str(folder), owner=whose, remove=f"rm -r {folder}")
