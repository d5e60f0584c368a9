"""A lab of virtual machines at rest, and back: what `stacklab stop`, `start`, `pause` and `unpause` do with it.

The same calls as modules.local.lifecycle has for containers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import libvirt

from modules.base import kubeconfig, paths
from modules.base.errors import StacklabError
from modules.host.libvirt import mark
from modules.leases import heartbeat, leaders
from modules.machines.libvirt import domains
from modules.machines.libvirt.connection import connect, described, told, unless

API = 300.0
"""Seconds; an emulated machine boots for one minute, and its API server starts for another."""
NODES = 300.0
_ALREADY = libvirt.VIR_ERR_OPERATION_INVALID  # somebody else was faster


@dataclass(frozen=True)
class VirtualMachines:
    """The machines of a lab on one libvirt. Each call can be repeated; a lab that is not there is an error.

    control: the machines that the API needs, masters and those with etcd; emulated ones are started first.
    """

    stack: str
    cluster: str
    uri: str
    owner: str
    control: Collection[str] = ()

    def states(self) -> Mapping[str, str]:
        """Machine -> running | shut off | paused | ..., in libvirt's words."""
        with self._found() as (_, found):
            return {self._name(domain): domains.state(domain) for domain in found}

    def emulated(self) -> bool:
        """Whether any of them is QEMU's own work: a minute takes several there."""
        with self._found() as (_, found):
            return any(domains.emulated(domain) for domain in found)

    def stop(self) -> None:
        """All at once, by a shutdown of the system inside; paused ones could not end by themselves."""
        self.unpause()
        self._each(domains.shut_down, "be stopped")

    def start(self) -> None:
        """Returns when the API answers and each machine that was started reports to it."""
        with self._found() as (connection, found):
            self._networks(connection)
            due = [self._name(domain) for domain in found if domains.state(domain) != domains.RUNNING]
            rested = all(domains.state(domain) == domains.SHUT_OFF for domain in found)
            rested_until = datetime.now(UTC) if rested else None
            control = {self._name(domain) for domain in found} & set(self.control)
        # All at once, emulated ones would starve the API server, and who does not reach it asks again ever more rarely.
        self._each(domains.start, "be started", names=control if control and self.emulated() else None)
        self._wait_for_api()
        leaders.release(self._kubeconfig(), rested_until, where=f"stack {self.stack}")
        self._each(domains.start, "be started")
        if due:
            heartbeat.wait(self._kubeconfig(), due, timeout=NODES, where=f"stack {self.stack}")

    def pause(self) -> None:
        self._each(lambda domain: domain.suspend(), "be paused", only=domains.RUNNING)

    def unpause(self) -> None:
        self._each(lambda domain: domain.resume(), "go on", only="paused")

    def _kubeconfig(self) -> Path:
        file = paths.lab(self.stack) / "kubeconfig"
        if not file.exists():
            raise StacklabError("the lab's kubeconfig is gone", where=str(file), hint="pulumi up")
        return file

    def _wait_for_api(self) -> None:
        access = kubeconfig.read(self._kubeconfig().read_text())
        hint = f"virsh -c '{self.uri}' list --all shows the machines; then journalctl -u kubelet on a master"
        kubeconfig.wait_for_api(access, timeout=API, where=f"stack {self.stack}", hint=hint)

    def _each(
        self, act: Callable[[Any], object], what: str, *, only: str = "", names: Collection[str] | None = None
    ) -> None:
        def one(domain: Any) -> None:
            with told(f"the machine cannot {what}", where=self._name(domain)), unless(_ALREADY):
                act(domain)

        with self._found() as (_, found):
            due = [
                domain
                for domain in found
                if (not only or domains.state(domain) == only) and (names is None or self._name(domain) in names)
            ]
            with ThreadPoolExecutor(max(1, len(due))) as pool:
                list(pool.map(one, due))

    @contextmanager
    def _found(self) -> Iterator[tuple[Any, Sequence[Any]]]:
        with connect(self.uri) as connection:
            found = domains.of_lab(connection, self.stack, self.owner)
            if not found:
                raise StacklabError("no machines of this lab are here", where=f"stack {self.stack}", hint="pulumi up")
            yield connection, sorted(found, key=lambda domain: str(domain.name()))

    def _networks(self, connection: Any) -> None:
        """A network does not come back by itself when its host was switched off."""
        for network in connection.listAllNetworks():
            known = mark.read(described(network))
            ours = known is not None and (known.stack, known.owner) == (self.stack, self.owner)
            if ours and not network.isActive():
                with told("the network cannot be started", where=network.name()), unless(_ALREADY):
                    network.create()

    def _name(self, domain: Any) -> str:
        return str(domain.name()).removeprefix(f"{self.cluster}.")
