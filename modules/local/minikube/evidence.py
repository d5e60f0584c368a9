"""What can be learnt from the machines of a profile that did not come up, kept before they are removed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from modules.host.engine import Engine
from modules.local.containers import Container
from modules.local.kind import evidence
from modules.local.minikube.files import LabFiles

# minikube's own advice to write to its makers, and its boxes.
NOISE = ("*", "╭", "│", "╰", "!")


def keep(engine: Engine, machines: Sequence[Container], said: str, files: LabFiles) -> list[Path]:
    """As kind's, with minikube's own log of the start; the paths, those worth reading first in front."""
    kept = evidence.keep(engine, machines, said, files.logs)
    if not files.last_start.exists():
        return kept
    log = files.logs / "lastStart.txt"
    shutil.copyfile(files.last_start, log)
    return [log, *kept]


def gist(said: str) -> str:
    """minikube's output without boxes and advice: what is left at the end is the reason."""
    return "\n".join(line for line in said.splitlines() if line.strip() and not line.lstrip().startswith(NOISE))
