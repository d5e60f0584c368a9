"""The NAT network of one lab: made, started, its machines added and taken away while it runs, removed."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import libvirt

from modules.base.errors import StacklabError
from modules.host.libvirt import mark
from modules.host.libvirt.mark import Mark
from modules.machines.libvirt import domains
from modules.machines.libvirt.connection import described, lookup, refuse_stranger, told, unless
from modules.machines.libvirt.spec import Host, NetworkSpec
from modules.machines.libvirt.xml import network as xml


def ensure(connection: Any, spec: NetworkSpec, owner: Mark) -> None:
    """Make and start the network; our own of the same range is brought up to date, one of another made anew."""
    with told("the network cannot be made", where=f"network {spec.name}", hint=_hint(connection)):
        network = find(connection, spec.name)
        if network is not None:
            refuse(network, owner.owner)
            if _place(network.XMLDesc(0)) != (spec.bridge, spec.gateway):
                delete(connection, spec.name, owner.owner)
                network = None
        if network is None:
            network = connection.networkDefineXML(xml.render(spec, owner))
        else:
            update(network, spec)
        if not network.isActive():
            network.create()


def find(connection: Any, name: str) -> Any | None:
    """The network of that name, whoever's it is."""
    return lookup(connection.networkLookupByName, name, libvirt.VIR_ERR_NO_NETWORK)


def refuse(network: Any, owner: str) -> None:
    """Raise OwnershipError when it is a stranger's."""
    command = f"virsh net-dumpxml {network.name()}"
    refuse_stranger(mark.read(described(network)), owner, kind="network", name=network.name(), virsh=command)


def ours(connection: Any, name: str, owner: str) -> Any | None:
    """Our network of that name; None when it is gone or a stranger's."""
    network = find(connection, name)
    found = mark.read(described(network)) if network is not None else None
    return network if found and found.owner == owner else None


def update(network: Any, spec: NetworkSpec) -> None:
    """Bring DHCP and DNS in step with the machines, also while the network runs."""
    there, wanted = hosts(network.XMLDesc(0)), {host.address: host for host in spec.hosts}
    flags = libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG
    if network.isActive():
        flags |= libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE
    for address, host in there.items():
        if wanted.get(address) != host:
            _change(network, libvirt.VIR_NETWORK_UPDATE_COMMAND_DELETE, host, flags)
    for address, host in wanted.items():
        if there.get(address) != host:
            _change(network, libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, host, flags)


def hosts(text: str) -> dict[str, Host]:
    """The machines that a network's XML names, by address."""
    rows = ElementTree.fromstring(text).iterfind("ip/dhcp/host")  # noqa: S314  # libvirt's own
    found = [Host(row.get("name", ""), row.get("ip", ""), row.get("mac", "")) for row in rows]
    return {host.address: host for host in found}


def _change(network: Any, command: int, host: Host, flags: int) -> None:
    sections = (
        (libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST, xml.dhcp_host(host)),
        (libvirt.VIR_NETWORK_SECTION_DNS_HOST, xml.dns_host(host)),
    )
    for section, element in sections:
        # One of the two may be as wanted already, where a run before was interrupted.
        with unless(libvirt.VIR_ERR_OPERATION_INVALID):
            network.update(command, section, -1, ElementTree.tostring(element, encoding="unicode"), flags)


def delete(connection: Any, name: str, owner: str) -> None:
    """Remove our network; machines of other people on it are an error, what is gone is fine."""
    network = ours(connection, name, owner)
    if network is None:
        return
    guests = [one for one in domains.on_network(connection, name) if mark.read(described(one)) is None]
    if guests:
        raise StacklabError(
            f"machines that stacklab did not make are on the lab's network: {', '.join(g.name() for g in guests)}",
            where=f"network {name}",
            command=f"virsh domiflist {guests[0].name()}",
            hint="detach them from it, then again",
        )
    with told("the network cannot be removed", where=f"network {name}"):
        if network.isActive():
            with unless(libvirt.VIR_ERR_OPERATION_INVALID):
                network.destroy()
        with unless(libvirt.VIR_ERR_NO_NETWORK):
            network.undefine()


def leases(connection: Any, name: str) -> list[str]:
    """What DHCP has given, as lines for people."""
    network = find(connection, name)
    if network is None or not network.isActive():
        return []
    with unless(libvirt.VIR_ERR_NO_SUPPORT):
        return [f"{one['ipaddr']} to {one['mac']} ({one.get('hostname') or '?'})" for one in network.DHCPLeases()]
    return []


def _place(text: str) -> tuple[str, str]:
    root = ElementTree.fromstring(text)  # noqa: S314  # libvirt's own
    bridge, ip = root.find("bridge"), root.find("ip")
    return (bridge.get("name", "") if bridge is not None else "", ip.get("address", "") if ip is not None else "")


def _hint(connection: Any) -> str:
    if "/session" in connection.getURI():
        return "a user's own libvirt (qemu:///session) may not make networks: set libvirt.uri to qemu:///system"
    return "another range under network.machines of the stack file, when this one is in use"
