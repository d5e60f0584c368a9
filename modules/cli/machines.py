"""What commands on a lab's machines share: the masters of a stack that is up, and this host's kubeconfig of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modules.base.errors import StacklabError
from modules.cli import stacks

if TYPE_CHECKING:
    from modules.bootstrap.kubeadm.spec import Front
    from modules.machines.remote import Remote
    from modules.topology.plan import LabPlan

OVER_SSH = ("libvirt", "ssh")


@dataclass(frozen=True)
class Masters:
    """A lab, and the doors to its masters in the order of the file."""

    plan: LabPlan
    doors: tuple[Remote, ...]

    @property
    def front(self) -> Front:
        from modules.bootstrap.hosts import api_name
        from modules.bootstrap.kubeadm.spec import Front

        named = tuple((r.login.machine, r.login.address) for r in self.doors)
        return Front(api_name(self.plan.cluster), self.plan.network.endpoint or "", named)

    def refresh_kubeconfig(self) -> None:
        """This host's file as the masters have it now."""
        from modules.base import kubeconfig, paths
        from modules.bootstrap.kubeadm import init

        made = init.reach(self.front, self.doors)
        kubeconfig.write(paths.lab(self.plan.stack) / "kubeconfig", made.kubeconfig)


def masters(stack: str) -> Masters:
    """Of a lab whose machines are reached over SSH; for others the error says what to do."""
    from modules.machines import keys
    from modules.machines.remote import Remote
    from modules.topology.plan import plan

    lab = plan(stacks.load(stack), stack)
    if lab.backend not in OVER_SSH:
        raise StacklabError(
            f"the machines of a lab on {lab.backend} are containers of this host, renewed by making the lab anew",
            where=f"stack {stack}",
            hint=f"this command is for the backends {' and '.join(OVER_SSH)}",
        )
    if not keys.of(stack).folder.exists():
        raise StacklabError(
            "the lab is not up", where=f"stack {stack}", hint=f"bring the lab up first: make up STACK={stack}"
        )
    doors = tuple(Remote(keys.login(lab, m)) for m in lab.machines if m.role == "master")
    return Masters(lab, doors)
