"""A room without any way out: no route, no name server, a container engine that has nothing, programs of its own.

The room is a set of Linux namespaces, held by one process: this file run as a program. What runs in it ends with it.

    net     the loopback, and what labs make; nothing leads to the host or beyond
    mount   the engine's images, containers, networks and locks are the room's own; those of the host are not seen
    pid     containers and programs that were left behind die with the room
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READY = "ready"
HOLDER = ("setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child")
NETWORKS = Path("/etc/containers/networks")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")


@contextmanager
def wall(folder: Path) -> Iterator[tuple[str, ...]]:
    """The words that run a command in a new room; `folder` keeps what its engine holds."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [*HOLDER, "--mount-proc", sys.executable, __file__, str(folder)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as holder:
        try:
            said = holder.stdout.readline().strip() if holder.stdout else ""
            assert said == READY, f"there is no room: {' '.join(words)}"
            # The holder's only child is the first process of the room.
            inside = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split()[0]
            without = [word for name in PROXIES for word in ("-u", name, "-u", name.upper())]
            yield ("nsenter", "--target", inside, "--net", "--mount", "--pid", "--", "env", *without)
        finally:
            holder.kill()


def hold(folder: Path) -> None:
    """The first process of the room: furnishes it, says so, and takes in orphans until it is killed."""
    run = ["mount", "-t", "tmpfs", "tmpfs"]
    calls = [[*run, "/run"], [*run, "/dev/shm"], ["mount", "--bind", str(folder), "/var/lib/containers"]]
    if NETWORKS.is_dir():
        calls.append([*run, str(NETWORKS)])
    for call in [*calls, ["ip", "link", "set", "lo", "up"]]:
        subprocess.run(call, check=True)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print(READY, flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    hold(Path(sys.argv[1]))
