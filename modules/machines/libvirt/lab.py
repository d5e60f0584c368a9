"""One lab as a whole: our mark for it, and a sweep of everything on a libvirt that carries it."""

from __future__ import annotations

from modules.base import paths
from modules.host.libvirt import mark, place
from modules.host.libvirt.mark import Mark
from modules.machines.libvirt import connection, daemon, domains, names, networks, pools, volumes


def marked(stack: str, owner: str) -> Mark:
    """The mark on what this checkout makes for a lab."""
    return Mark(stack, owner, str(paths.checkout()))


def sweep(uri: str, stack: str, cluster: str, owner: str) -> None:
    """Remove what a killed run made and no state knows, whatever it is. Strangers' things stay."""
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


def leave(uri: str, stack: str) -> None:
    """The lab is gone: with the last one on a libvirt go the pool and a daemon of ours."""
    place.unregister(stack)
    if uri not in place.labs().values():  # one that has just begun has nothing in the pool yet
        with connection.connect(uri) as libvirt:
            pools.remove_if_empty(libvirt, uri)
    daemon.stop_after_last()
