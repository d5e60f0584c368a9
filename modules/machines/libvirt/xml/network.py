"""A NAT network with fixed addresses: DHCP answers only the lab's machines, DNS knows their names."""

from __future__ import annotations

from ipaddress import IPv4Network
from xml.etree.ElementTree import Element

from modules.host.libvirt import mark
from modules.host.libvirt.mark import Mark
from modules.machines.libvirt.spec import Host, NetworkSpec
from modules.machines.libvirt.xml import add, write


def render(spec: NetworkSpec, owner: Mark) -> str:
    root = Element("network")
    add(root, "name", spec.name)
    root.append(mark.element(owner))
    add(add(root, "forward", attributes={"mode": "nat"}), "nat")
    add(root, "bridge", attributes={"name": spec.bridge, "stp": "off", "delay": "0"})
    dns = add(root, "dns")
    for host in spec.hosts:
        dns.append(dns_host(host))
    network = IPv4Network(spec.range)
    ip = add(root, "ip", attributes={"address": spec.gateway, "netmask": str(network.netmask)})
    # libvirt starts no DHCP for an empty list; the hosts come later, one by one.
    dhcp = add(ip, "dhcp")
    for host in spec.hosts:
        dhcp.append(dhcp_host(host))
    return write(root)


def dhcp_host(host: Host) -> Element:
    return Element("host", {"mac": host.mac, "name": host.name, "ip": host.address})


def dns_host(host: Host) -> Element:
    element = Element("host", {"ip": host.address})
    for name in dict.fromkeys((host.name, host.name.split(".")[0])):
        add(element, "hostname", name)
    return element
