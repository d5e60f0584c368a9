"""Who holds a stack's lock: read from what Pulumi tells the one who comes second, and told in plain words.

Backends that are folders, buckets and databases say it in the same way, and whoever uses them sees each other's locks.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from modules.base.errors import StacklabError

_CREATED = re.compile(r"created by (?P<who>\S+)@(?P<host>\S+) \(pid (?P<pid>[0-9]+)\)(?: at (?P<at>\S+))?")


@dataclass(frozen=True)
class Holder:
    """A process that changes a stack, or did when it was last heard of; `since` is this machine's time, or ""."""

    user: str
    host: str
    pid: int
    since: str

    @property
    def process(self) -> Path | None:
        """Where the kernel tells of it; None when it is on another machine."""
        return Path(f"/proc/{self.pid}") if self.host == socket.gethostname() else None

    @property
    def dead(self) -> bool:
        """Whether it is known to be no more."""
        return self.process is not None and not self.process.exists()

    def __str__(self) -> str:
        since = f", since {self.since}" if self.since else ""
        return f"{self.user} on {self.host} (process {self.pid}){since}"


def find(told: str) -> Holder | None:
    """The holder that Pulumi's message names; None when it names none, as Pulumi Cloud's does."""
    found = _CREATED.search(told)
    return Holder(found["who"], found["host"], int(found["pid"]), _local(found["at"] or "")) if found else None


class HeldError(StacklabError):
    """Somebody else is at work, and nothing was changed by us."""


def refusal(stack: str, holder: Holder | None, told: str) -> HeldError:
    """What the second one reads. Pulumi's own words name the file or the row of the lock, which nobody needs."""
    return HeldError(
        f"somebody else is changing this lab: {holder or 'see below'}",
        where=f"stack {stack}",
        output="" if holder else told,
        hint=f"wait until it has ended, then the same command again; when it is gone for good: pulumi cancel {stack}",
    )


def _local(at: str) -> str:
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return at
