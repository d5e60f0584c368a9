"""Are there enough inotify instances left for the machines of one more lab?

Kernels allow 128 of them to a user by default. Without them kubelet and kube-proxy end with "too many open files" again
and again, and a cluster comes up after minutes or never: better told before.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from modules.host import facts

# What machines were seen to hold with all addons: systemd, kubelet, containerd, and what watches files in their pods.
EACH = {"master": 27, "worker": 16}


def problems(roles: Sequence[str]) -> list[str]:
    """Why more machines of these roles would not come up on this host now; none when there are no more machines."""
    if not roles:
        return []
    problem = inotify_problem(roles, facts.read().inotify_instances, inotify_used())
    return [problem] if problem else []


def inotify_problem(roles: Sequence[str], limit: int, used: int) -> str:
    """Why machines of these roles would not come up, "" when they will. A limit of 0 is one that could not be read."""
    wanted, machines = sum(EACH[role] for role in roles), len(roles)
    if limit == 0 or limit - used >= wanted:
        return ""
    return (
        f"{machines} machines need about {wanted} inotify instances, and {max(limit - used, 0)} of {limit} are left; "
        f"next: sysctl fs.inotify.max_user_instances={max(512, 2 * limit)}, or fewer machines"
    )


def inotify_used(proc: Path = Path("/proc")) -> int:
    """Instances that this user's programs hold, containers' among them."""
    return sum(_held(process) for process in proc.iterdir() if process.name.isdecimal())


def _held(process: Path) -> int:
    try:
        if process.stat().st_uid != os.geteuid():
            return 0
        return sum(_leads_to(entry) == "anon_inode:inotify" for entry in (process / "fd").iterdir())
    except OSError:  # it has ended meanwhile
        return 0


def _leads_to(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""
