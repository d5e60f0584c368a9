"""Machines: defined, started, changed in place, ended; found again by name and mark."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import libvirt

from modules.base import probe
from modules.base.errors import ProbeTimeoutError
from modules.host.libvirt import mark
from modules.host.libvirt.mark import Mark
from modules.machines.libvirt.connection import described, lookup, refuse_stranger, told, unless
from modules.machines.libvirt.spec import DomainSpec
from modules.machines.libvirt.xml import domain as xml

RUNNING, SHUT_OFF = "running", "shut off"
STATES = {
    libvirt.VIR_DOMAIN_NOSTATE: "without a state",
    libvirt.VIR_DOMAIN_RUNNING: RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: "paused",
    libvirt.VIR_DOMAIN_SHUTDOWN: "shutting down",
    libvirt.VIR_DOMAIN_SHUTOFF: SHUT_OFF,
    libvirt.VIR_DOMAIN_CRASHED: "crashed",
    libvirt.VIR_DOMAIN_PMSUSPENDED: "suspended",
}
KINDLY = 120.0  # how long a machine may take to shut down by itself: its systemd gives what does not end 90 s
_GONE = (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID)


def ensure(connection: Any, spec: DomainSpec, owner: Mark) -> None:
    """Define and start the machine. Our own of another identity or other contents is made anew."""
    domain = find(connection, spec.name)
    if domain is not None:
        _refuse(domain, owner.owner)
        known = mark.read(described(domain))
        if known is None or known.configuration != spec.digest():
            remove(connection, spec.name, owner.owner)
            domain = None
    with told("the machine cannot be started", where=spec.name, command=f"virsh start {spec.name}"):
        if domain is None:
            domain = _define(connection, spec, owner)
        start(domain)


def change(connection: Any, spec: DomainSpec, owner: Mark, disk_size: int) -> None:
    """The same machine with other memory, processors or a larger disk; restarted only when it must be."""
    domain = find(connection, spec.name)
    if domain is None:
        ensure(connection, spec, owner)
        return
    _refuse(domain, owner.owner)
    known = mark.read(described(domain))
    with told("the machine cannot be changed", where=spec.name, command=f"virsh dumpxml {spec.name}"):
        if known is None or known.configuration != spec.digest():
            shut_down(domain)
            _define(connection, spec, owner)
        grow(connection, domain, spec.disk, disk_size)
        start(domain)


def find(connection: Any, name: str) -> Any | None:
    """The domain of that name, whoever's it is."""
    return lookup(connection.lookupByName, name, libvirt.VIR_ERR_NO_DOMAIN)


def ours(connection: Any, name: str, owner: str) -> Any | None:
    """Our domain of that name; None when it is gone or a stranger's."""
    domain = find(connection, name)
    found = mark.read(described(domain)) if domain is not None else None
    return domain if found and found.owner == owner else None


def state(domain: Any) -> str:
    """In words."""
    return STATES.get(domain.state()[0], "in an unknown state")


def emulated(domain: Any) -> bool:
    """Whether its processors are QEMU's own work."""
    return ElementTree.fromstring(described(domain)).get("type") == xml.TYPES["tcg"]  # noqa: S314


def start(domain: Any) -> None:
    """Have it running, whatever it does now."""
    now = state(domain)
    if now == "paused":
        domain.resume()
    elif now == "suspended":
        domain.pMWakeup(0)
    elif now == "crashed":
        domain.destroy()
        domain.create()
    elif now != RUNNING:
        with unless(libvirt.VIR_ERR_OPERATION_INVALID):  # it runs already
            domain.create()


def shut_down(domain: Any) -> None:
    """Ask the system inside to end; pull the plug when it does not."""
    if not domain.isActive():
        return
    with unless(*_GONE):
        domain.shutdown()
    try:
        probe.wait_for(
            "the machine shuts down",
            lambda: probe.Answer(None if domain.isActive() else True, state(domain)),
            timeout=KINDLY,
            every=0.5,
        )
    except ProbeTimeoutError:
        with unless(*_GONE):
            domain.destroy()


def grow(connection: Any, domain: Any, path: str, size: int) -> None:
    """Enlarge the disk; a smaller size is ignored, for a disk does not shrink."""
    volume = connection.storageVolLookupByPath(path)
    if domain.isActive():
        if domain.blockInfo("vda")[0] < size:
            domain.blockResize("vda", size, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)
    elif volume.info()[1] < size:
        volume.resize(size, 0)


def remove(connection: Any, name: str, owner: str) -> None:
    """End our machine and forget it; what is gone is fine, a stranger's stays."""
    domain = ours(connection, name, owner)
    if domain is None:
        return
    with told("the machine cannot be removed", where=name, command=f"virsh undefine {name}"):
        if domain.isActive():
            with unless(*_GONE):
                domain.destroy()
        with unless(*_GONE):
            domain.undefine()


def of_lab(connection: Any, stack: str, owner: str) -> list[Any]:
    """Every domain that carries the lab's mark."""
    return [
        domain
        for domain in connection.listAllDomains()
        if (found := mark.read(described(domain))) and (found.stack, found.owner) == (stack, owner)
    ]


def on_network(connection: Any, network: str) -> list[Any]:
    """Every domain with an interface on that network."""
    return [
        domain
        for domain in connection.listAllDomains()
        if any(
            source.get("network") == network
            for source in ElementTree.fromstring(described(domain)).iterfind("devices/interface/source")  # noqa: S314
        )
    ]


def _define(connection: Any, spec: DomainSpec, owner: Mark) -> Any:
    marked = Mark(owner.stack, owner.owner, owner.checkout, spec.digest())
    return connection.defineXML(xml.render(spec, marked))


def _refuse(domain: Any, owner: str) -> None:
    command = f"virsh dumpxml {domain.name()}"
    refuse_stranger(mark.read(described(domain)), owner, kind="machine", name=domain.name(), virsh=command)
