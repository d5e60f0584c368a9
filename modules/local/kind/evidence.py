"""What can be learnt from the nodes of a cluster that did not come up, kept before they are removed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from modules.base.errors import CommandError
from modules.host.engine import Engine
from modules.local.containers import Container

LINES = "400"
# A log line of kubeadm, a place in a source file, a function of Go.
NOISE = re.compile(r"[IW]\d{4} |\t\S+:\d+$|[\w./-]+\.[\w.()*]+$|Stack Trace:|\s*$")
QUESTIONS = {
    "boot": ("logs", "--tail", LINES, "{node}"),
    "services": ("exec", "{node}", "journalctl", "--no-pager", "-n", LINES, "-u", "kubelet", "-u", "containerd"),
    "containers": ("exec", "{node}", "crictl", "ps", "--all"),
    "kubeadm": ("exec", "{node}", "cat", "/kind/kubeadm.conf"),
}


def keep(engine: Engine, nodes: Sequence[Container], kind_output: str, folder: Path) -> list[Path]:
    """Write one file for each node and one with all that kind said; the paths, those worth reading first in front."""
    folder.mkdir(parents=True, exist_ok=True)
    said = folder / "kind.txt"
    said.write_text(kind_output)
    with ThreadPoolExecutor(max_workers=4) as pool:
        files = list(pool.map(lambda node: _ask(engine, node, folder), nodes))
    return [said, *files]


def gist(kind_output: str) -> str:
    """kind's output without kubeadm's log lines and Go's stack trace: what is left at the end is the reason."""
    return "\n".join(line for line in kind_output.splitlines() if line.strip() and not NOISE.match(line))


def _ask(engine: Engine, node: Container, folder: Path) -> Path:
    file = folder / f"{node.name}.txt"
    parts = [f"{node.name}: {node.state}\n"]
    for title, words in QUESTIONS.items():
        try:
            answer = engine.run(*(w.format(node=node.name) for w in words), timeout=20, check=False)
            text = answer.stdout + answer.stderr
        except CommandError as error:
            text = str(error)
        parts.append(f"\n=== {title}\n{text}")
    file.write_text("".join(parts))
    return file
