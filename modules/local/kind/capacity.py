"""Are there enough inotify instances left for the machines of one more lab?

Kernels allow 128 of them to a user by default. Without them kubelet and kube-proxy end with "too many open files" again
and again, and a cluster comes up after minutes or never: better told before.
"""

from __future__ import annotations

import os
from pathlib import Path

EACH = 10  # what a machine holds before any app runs: systemd 4, kubelet 3, containerd 2, kube-proxy 1


def inotify_problem(machines: int, limit: int, used: int) -> str:
    """Why the machines would not come up, "" when they will. A limit of 0 is one that could not be read."""
    wanted = machines * EACH
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
