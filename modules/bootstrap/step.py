"""A step: what a machine is asked, what of it is not as it should be, and what is done about that.

Steps are data and pure functions (golden files hold them); only `look` and `apply` talk to a machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """A POSIX sh script that runs as root and ends at the first command that fails (set -e).

    timeout in seconds; words of `redact` never reach logs or errors; without a `why` it goes with the action after it.
    """

    why: str
    script: str
    timeout: float = 120
    redact: tuple[str, ...] = ()


@dataclass(frozen=True)
class Write:
    """A small file, written whole or not at all."""

    why: str
    path: str
    content: str
    mode: int = 0o644


@dataclass(frozen=True)
class Upload:
    """A file of this host (a binary, an image archive) brought to the machine."""

    why: str
    source: Path
    path: str
    mode: int = 0o644


Action = Run | Write | Upload


@dataclass(frozen=True)
class Step:
    """`probe` is a sh script that changes nothing; `difference` gets what it printed and gives what has to be done.

    An empty difference means that the machine is as it should be. `undo` is the script that a reset runs.
    """

    name: str
    probe: str
    difference: Callable[[str], Sequence[Action]]
    undo: str = ""
