"""One kubeadm at a time on a machine, and what it says when it fails.

The connection may be cut while kubeadm runs on: the next call ends that one first, so that nobody works behind it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence

from modules.artifacts.machine.payload import active, folder
from modules.base.errors import LAST_LINES, CommandError, StacklabError
from modules.bootstrap.steps import journal
from modules.machines.remote import Remote

RUN = "/run/stacklab"
LOCK, PID = f"{RUN}/kubeadm.lock", f"{RUN}/kubeadm.pid"
INIT, JOIN, RESET, UPGRADE = 900.0, 900.0, 180.0, 900.0

# A log line of kubeadm, a place in a source file, a function of Go: what is left at the end is the reason.
NOISE = re.compile(r"[IW]\d{4} |\t\S+:\d+$|[\w./-]+\.[\w.()*]+$|Stack Trace:|\s*$|To see the stack trace")

# klog's errors of the time since the kubelet was started last, each reason once.
COMPLAINTS = 4
KUBELET = f"""\
since=$(systemctl show kubelet --property=ExecMainStartTimestamp --value)
[ -n "$since" ] || exit 0
journalctl --unit=kubelet --since="$since" --output=cat --no-pager |
    sed -n 's/^[EF][0-9]* [0-9:.]* *[0-9]* //p' | awk '!seen[$0]++' | tail -n {COMPLAINTS}
"""

Say = Callable[[str], None]


def silent(_: str) -> None:
    """For callers with nobody to tell."""


def alone() -> str:
    """The beginning of a script that runs kubeadm: ends the one that an earlier run left at work. Pure."""
    return f"""\
set -e
mkdir -p -m 700 {RUN}
exec 9>>{LOCK}
if ! flock -n 9; then
    kill -TERM "$(cat {PID} 2>/dev/null)" 2>/dev/null || true
    if ! flock -w 15 9; then
        kill -KILL "$(cat {PID} 2>/dev/null)" 2>/dev/null || true
        flock -w 15 9 || {{ echo "another kubeadm is at work and does not end: $(cat {PID})" >&2; exit 75; }}
    fi
fi
"""


def script(version: str, words: Sequence[str], after: str = "") -> str:
    """A script that runs the kubeadm of a version, then `after`. Pure."""
    call = shlex.join([f"{folder(version)}/kubeadm", *words])
    return f"{alone()}sh -c 'echo $$ >{PID}; exec \"$@\"' kubeadm {call}\n{after}"


def kubeadm(
    remote: Remote,
    version: str,
    words: Sequence[str],
    *,
    timeout: float,
    after: str = "",
    say: Say = silent,
    redact: Sequence[str] = (),
) -> str:
    """Run it on a machine; what it printed. An error has kubeadm's reason in its last lines, not its stack."""
    machine = remote.login.machine
    try:
        return remote.run(
            script(version, words, after),
            timeout=timeout,
            redact=redact,
            on_line=lambda line: say(f"{machine}: kubeadm: {line}") if line.startswith("[") else None,
        ).stdout
    except CommandError as error:
        error.what = f"kubeadm {words[0]}: {error.what}"
        error.output = joined(gist(error.output), _complaints(remote, redact))
        error.hint = error.hint or f"journalctl -u kubelet -u containerd on {machine}; then the same command again"
        raise


def gist(output: str) -> str:
    """kubeadm's output without log lines and Go's stack trace. Pure."""
    return "\n".join(line for line in output.splitlines() if line.strip() and not NOISE.match(line))


def joined(kubeadm_said: str, kubelet_said: str) -> str:
    """What is shown of a failure: kubeadm's last lines, and below them the kubelet's where it complained. Pure."""
    if not kubelet_said.strip():
        return kubeadm_said
    ours = kubeadm_said.splitlines()[-(LAST_LINES - COMPLAINTS - 1) :]
    return "\n".join([*ours, "the kubelet says:", *kubelet_said.strip().splitlines()[-COMPLAINTS:]])


def _complaints(remote: Remote, redact: Sequence[str]) -> str:
    try:
        return remote.run(KUBELET, timeout=15, check=False, redact=redact).stdout
    except StacklabError:  # kubeadm's own failure is the news
        return ""


def activate(version: str, names: Sequence[str] = ("kubeadm", "kubelet", "kubectl")) -> str:
    """A script that makes the programs of a version the active ones; each link changes at once. Pure."""
    links = {link: to for link, to in sorted(active(version).items()) if link.rpartition("/")[2] in names}
    lines = [journal.keep(links)]
    for link, target in links.items():
        lines += [f"test -x {target}", f"ln -sfn {target} {link}.stacklab && mv -fT {link}.stacklab {link}"]
    return "\n".join(lines) + "\n"
