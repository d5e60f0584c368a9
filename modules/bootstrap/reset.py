"""A machine as it was before the lab: the cluster's leavings, then everything that the steps noted, backwards.

Works from what is noted on the machine alone, so also after a half-made `up`, with another plan, or twice.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable

from modules.artifacts.machine.payload import PROGRAMS
from modules.base.errors import StacklabError
from modules.bootstrap import hosts
from modules.bootstrap.kubeadm import reset as kubeadm
from modules.bootstrap.kubeadm import state
from modules.bootstrap.steps import containerd, firewall, images, journal, kernel, names, packages, selinux, swap
from modules.machines.remote import Remote

TIMEOUT = 900.0
FAILED = "stacklab-failed: "

# The kubelet has systemd make them, and nobody takes them away.
GROUPS = """\
systemctl stop 'cri-containerd-*.scope' 'kubepods*.slice' 2>/dev/null
systemctl reset-failed 'cri-containerd-*.scope' 'kubepods*.slice' 2>/dev/null
true
"""

# containerd is ours when we brought it: then everything below it is.
CONTAINERS = f"""\
if grep -qsxF {PROGRAMS}/containerd {journal.WRITTEN}; then
    systemctl stop containerd 2>/dev/null
    pkill -KILL -f ^{PROGRAMS}/containerd-shim 2>/dev/null
    awk '$2 ~ "^/(run|var/lib)/containerd/" {{print $2}}' /proc/mounts | sort -r |
        while IFS= read -r mount; do umount -l "$mount"; done
    for folder in /var/lib/containerd /run/containerd; do
        [ ! -d $folder ] || find $folder -mindepth 1 -maxdepth 1 -exec rm -rf --one-file-system {{}} +
    done
fi
true
"""


def parts(stack: str) -> dict[str, str]:
    """Name -> script, in order; each can run again, and without the others having succeeded. Pure."""
    return {
        "the cluster": kubeadm.undo_all(),
        "groups of pods": GROUPS,
        "images": images.UNDO,
        "containers": CONTAINERS,
        "services": containerd.units().undo,
        "files": journal.give_back(),
        "packages": packages.UNDO,
        "sysctls": kernel.sysctls().undo,
        "kernel modules": kernel.UNDO,
        "firewall": firewall.UNDO,
        "SELinux": selinux.UNDO,
        "swap": swap.UNDO,
        "host name": names.UNDO,
        "hosts file": hosts.removal(stack),
        "folders": journal.REMOVE_FOLDERS,
    }


def script(stack: str) -> str:
    """All of it; what fails is named, the rest is done all the same. The notes go last, when nothing failed. Pure."""
    lines = ["failed="]
    for name, part in parts(stack).items():
        lines.append(f"echo {shlex.quote(name)}")
        lines.append(f'sh -c {shlex.quote(part)} </dev/null || failed="$failed, {name}"')
    lines.append(f'if [ -n "$failed" ]; then echo "{FAILED}${{failed#, }}"; exit 1; fi')
    lines.append(f"rm -rf {journal.FOLDER}")
    return "\n".join(lines) + "\n"


def reset(remote: Remote, stack: str, say: Callable[[str], None]) -> None:
    """Do it. A machine that carries another lab's notes is left alone."""
    machine = remote.login.machine
    whose = (remote.read(f"{journal.FOLDER}/stack") or "").strip()
    if not whose and remote.read(state.MARK) is None:
        say(f"{machine}: nothing of the lab is there")  # and whatever else is there is not ours
        return
    if whose not in ("", stack):
        raise StacklabError(f"this machine belongs to the lab {whose} now", where=machine)
    found = remote.run(
        script(stack), timeout=TIMEOUT, check=False, on_line=lambda line: say(f"{machine}: reset: {line}")
    )
    if found.code != 0:
        failed = next((x[len(FAILED) :] for x in found.stdout.splitlines() if x.startswith(FAILED)), "the script")
        raise StacklabError(
            f"not everything could be taken back: {failed}",
            where=machine,
            output=found.stdout + found.stderr,
            hint="run the same command again; what is done stays done",
        )
