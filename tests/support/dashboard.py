"""A dashboard in a process of its own, as the command starts it, of a lab that a test describes in a file.

`python -m tests.support.dashboard FILE [PORT]`: FILE holds stack, backend, kubectl, kubeconfig, states, machines, apps,
exposures; it is read anew whenever the dashboard asks.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules.base.errors import StacklabError
from modules.cli import dashboard
from modules.dashboard import watch
from modules.dashboard.watch import Source
from modules.verify.kubectl import Kubectl
from modules.verify.lab import App, Lab, read
from tests.support.project import CHECKOUT


def source(file: Path) -> Source:
    """The lab of the file."""

    def now() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(file.read_text())
        return found

    def lab() -> Lab:
        data = now()
        apps = [App(name, "deployment", 2, sticky=False, echo=True, volume=False) for name in data["apps"]]
        return read(data["stack"], {**data, "kubeconfigFile": data["kubeconfig"]}, apps)

    def states() -> Mapping[str, str]:
        found: dict[str, str] = now()["states"]
        if not found:
            raise StacklabError("labs of this kind tell nothing of their machines")
        return found

    begun = now()
    return Source(begun["stack"], begun["backend"], lab, states, lambda path: Kubectl(Path(begun["kubectl"]), path))


@dataclass
class Running:
    """The command, and the address it printed."""

    process: subprocess.Popen[str]
    url: str

    @property
    def port(self) -> int:
        return int(self.url.split(":")[2].partition("/")[0])

    def interrupt(self) -> tuple[int, str]:
        """Ctrl-C; how it ended, and what it said besides the address."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out + err


@contextlib.contextmanager
def started(file: Path, *, port: int = 0) -> Iterator[Running]:
    """The command in its own process, until the block ends."""
    with served("tests.support.dashboard", str(file), str(port)) as running:
        yield running


@contextlib.contextmanager
def served(module: str, *args: str) -> Iterator[Running]:
    """`python -m module`, a command that prints its address and serves a page until the block ends."""
    words = [sys.executable, "-m", module, *args]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=CHECKOUT, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            url = process.stdout.readline().strip()
            assert url.startswith("http://"), process.stderr.read()
            yield Running(process, url)
        finally:
            if process.poll() is None:
                process.terminate()


if __name__ == "__main__":
    watch.CLUSTER_EVERY, watch.REACH_EVERY, watch.LAB_EVERY = 0.3, 0.5, 0.5
    dashboard.show(source(Path(sys.argv[1])), int(sys.argv[2]), browser=False)
