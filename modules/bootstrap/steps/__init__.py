"""The steps that prepare any machine for kubeadm, in the order in which they are applied; their undo goes backwards.

wish       what a machine is to be            journal    what was done to it, so that it can be taken back
names      hosts file, host name              swap, selinux, firewall, kernel, packages   the system
programs, containerd, images                  what the cluster is made of
"""

from __future__ import annotations

from modules.bootstrap.step import Action, Run, Step
from modules.bootstrap.steps import (
    containerd,
    firewall,
    images,
    journal,
    kernel,
    names,
    packages,
    programs,
    selinux,
    swap,
)
from modules.bootstrap.steps.wish import Wish

__all__ = ["Wish", "steps"]

# What the parts of a cluster make for themselves: noted, so that it goes again where it was not before.
MADE_LATER = (
    "/etc/cni/net.d", "/etc/kubernetes", "/etc/stacklab", "/var/lib/kubelet", "/var/lib/containerd", "/var/lib/etcd",
    "/var/lib/cni", "/var/lib/calico", "/var/log/pods", "/var/log/containers", "/var/log/calico", "/var/run/calico",
    "/usr/libexec/kubernetes", "/opt/cni/bin", "/opt/stacklab", "/opt/containerd", "/root/.kube",
    "/etc/bash_completion.d", "/run/flannel", "/run/containerd",
)  # fmt: skip


def steps(wish: Wish) -> tuple[Step, ...]:
    """Everything for one machine."""
    return (
        _mark(wish),
        names.hosts_file(wish),
        names.host_name(wish),
        swap.STEP,
        selinux.STEP,
        firewall.step(wish),
        kernel.modules(wish),
        kernel.sysctls(),
        packages.step(wish),
        programs.containers(wish),
        programs.cni(wish),
        containerd.configuration(wish),
        programs.kubernetes(wish),
        containerd.units(),
        images.step(wish),
    )


def _mark(wish: Wish) -> Step:
    """First of all: whose machine this is, and which folders it had."""

    def difference(printed: str) -> tuple[Action, ...]:
        if printed.strip() == wish.stack:
            return ()
        note = journal.note_folders(MADE_LATER) + kernel.note_values()
        return (Run("not prepared by this lab yet", f"{note}echo {wish.stack} >{journal.FOLDER}/stack\n"),)

    return Step("mark", f"cat {journal.FOLDER}/stack 2>/dev/null || true\n", difference)
