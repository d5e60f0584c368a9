"""A `kubectl port-forward` that lives for one request, the way a user runs it in a second terminal."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from modules.base.errors import CommandError
from modules.base.shell import run
from modules.verify.web import Reply, ask

# The shell says who it is before it becomes kubectl: that process is interrupted when the answer is there.
ANNOUNCED = 'echo "pid $$"; exec "$@"'


def ask_through(argv: Sequence[str | Path], *, timeout: float) -> Reply:
    """Start the forwarding, GET / through it, interrupt it. The reply, or why there was none."""
    pid = 0
    replies: list[Reply] = []
    lock = threading.Lock()  # both streams are read at once

    def hear(line: str) -> None:
        nonlocal pid
        with lock:
            if announced := re.fullmatch(r"pid (\d+)", line.strip()):
                pid = int(announced[1])
            elif (ready := re.match(r"Forwarding from 127\.0\.0\.1:(\d+) ", line)) and not replies:
                replies.append(ask(f"http://127.0.0.1:{ready[1]}/", timeout=5))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGINT)

    said = ""
    try:
        result = run(["sh", "-c", ANNOUNCED, "sh", *argv], timeout=timeout, check=False, on_line=hear)
        said = result.stderr
    except CommandError as error:
        said = f"{error.output}\n{error.what}"
    if replies:
        return replies[0]
    last = (said.strip().splitlines() or ["ended before it was ready"])[-1]
    return Reply(0, error=f"port-forward: {last}")
