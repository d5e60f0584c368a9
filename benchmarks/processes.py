"""How much memory a command and all it starts hold together, while it runs."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Containers and what the engine starts for them are the lab's, not ours.
NOT_OURS = ("conmon", "runc", "podman", "docker", "kind", "netavark", "aardvark-dns")
EVERY = 0.25


@dataclass(frozen=True)
class Measured:
    """seconds of wall clock; peak bytes (proportional set size, summed) of our own processes."""

    seconds: float
    peak: int
    code: int
    output: str


def measure(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> Measured:
    """Run a command to its end; sample its process tree beside it."""
    started = time.monotonic()
    peak = 0
    with subprocess.Popen(
        argv,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        over = threading.Event()

        def sample() -> None:
            nonlocal peak
            while not over.wait(EVERY):
                peak = max(peak, sum(_memory(pid) for pid in _tree(process.pid)))

        watcher = threading.Thread(target=sample)
        watcher.start()
        output, _ = process.communicate()
        seconds = time.monotonic() - started
        over.set()
        watcher.join()
    return Measured(seconds, peak, process.returncode, output)


def _tree(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in (p.name for p in Path("/proc").iterdir()):
        if entry.isdigit():
            try:
                name, rest = Path(f"/proc/{entry}/stat").read_text().split("(", 1)[1].rsplit(")", 1)
            except OSError:  # it ended while we looked
                continue
            if name not in NOT_OURS:
                children.setdefault(int(rest.split()[1]), []).append(int(entry))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


def _memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
