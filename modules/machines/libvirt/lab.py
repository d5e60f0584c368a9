"""One lab as a whole: our mark for it, and a sweep of everything on a libvirt that carries it."""

from __future__ import annotations

from modules.base import paths
from modules.host.libvirt import mark
from modules.host.libvirt.mark import Mark
from modules.machines.libvirt import connection, domains, names, networks, pools, volumes


def marked(stack: str, owner: str) -> Mark:
    """The mark on what this checkout makes for a lab."""
    return Mark(stack, owner, str(paths.checkout()))


def sweep(uri: str, stack: str, cluster: str, owner: str) -> None:
    """Remove what a killed run made and no state knows, and the pool when it is empty then. Strangers' things stay."""
    with connection.connect(uri) as libvirt:
        for domain in domains.of_lab(libvirt, stack, owner):
            domains.remove(libvirt, domain.name(), owner)
        for network in libvirt.listAllNetworks():
            found = mark.read(connection.described(network))
            if found and (found.stack, found.owner) == (stack, owner):
                networks.delete(libvirt, network.name(), owner)
        pool = pools.find(libvirt, uri)
        if pool is None:
            return
        pools.ensure(libvirt, uri)
        volumes.remove_all(pool, names.prefix(cluster, owner))
        volumes.no_longer_used(libvirt, pool, cluster=cluster, owner=owner)
        pools.remove_if_empty(libvirt, uri)
