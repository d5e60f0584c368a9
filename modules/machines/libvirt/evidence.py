"""Why does a machine not answer? What libvirt can tell: its state, the end of its console, what DHCP has given."""

from __future__ import annotations

import re
from typing import Any

from modules.base.errors import StacklabError
from modules.machines.libvirt import domains, networks, pools, volumes

_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|c)|\r")
LINES = 8


def gather(connection: Any, uri: str, *, domain: str, network: str, console: str) -> str:
    """The evidence as lines for people."""
    machine = domains.find(connection, domain)
    lines = [f"machine: {domains.state(machine) if machine is not None else 'not there'}"]
    given = networks.leases(connection, network)
    lines.append("DHCP leases: " + (", ".join(given) or "none"))
    try:
        pool = pools.find(connection, uri)
        text = volumes.read_end(connection, pool, console) if pool is not None else ""
    except StacklabError as error:
        text = error.what
    lines += ["console:", *(f"  {line}" for line in tail(text) or ["(nothing was printed)"])]
    return "\n".join(lines)


def tail(text: str, lines: int = LINES) -> list[str]:
    """The last lines that say something, without what moves a cursor. Pure."""
    plain = (_ESCAPES.sub("", line).rstrip() for line in text.replace("\r\n", "\n").split("\n"))
    return [line[:200] for line in plain if line.strip()][-lines:]
