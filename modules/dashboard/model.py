"""What the dashboard shows, as plain data. Figures are None where nobody measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Tone = Literal["good", "wait", "bad", "plain"]
"""How things stand: well, on the way, badly, of no concern. Shown by colour, and always by a word besides."""


@dataclass(frozen=True)
class Figure:
    """How much is used, and of how much. CPU in cores, memory in bytes."""

    used: float | None = None
    room: float | None = None


@dataclass(frozen=True)
class Machine:
    """A node, or a machine that should be one; `word` says how it stands, `why` what is wrong."""

    name: str
    role: str
    address: str
    tone: Tone
    word: str
    why: str = ""
    version: str = ""
    cpu: Figure = Figure()
    memory: Figure = Figure()
    pods: float | None = None


@dataclass(frozen=True)
class Pod:
    """A pod; `app` is the app of the stack file that it belongs to, "" for the system's; without a node: not placed."""

    namespace: str
    name: str
    node: str
    app: str
    tone: Tone
    word: str
    why: str = ""
    address: str = ""
    restarts: int = 0
    cpu: float | None = None
    memory: float | None = None


@dataclass(frozen=True)
class Event:
    when: datetime | None
    tone: Tone
    reason: str
    about: str
    message: str
    count: int = 1


@dataclass(frozen=True)
class Cluster:
    """One look at the API. `unmeasured` says why figures are missing, when they are."""

    machines: tuple[Machine, ...] = ()
    pods: tuple[Pod, ...] = ()
    events: tuple[Event, ...] = ()
    version: str = ""
    unmeasured: str = ""


@dataclass(frozen=True)
class Reach:
    """An exposure and its last check. ok is None as long as nobody asked."""

    app: str
    kind: str
    url: str
    command: str
    host: str
    address: str
    port: int
    ok: bool | None = None
    evidence: str = ""


@dataclass(frozen=True)
class Away:
    """Why there is no cluster to show, and the next step."""

    what: str
    evidence: str
    next: str


@dataclass(frozen=True)
class Snapshot:
    """All that is known at one moment. With `away` the cluster is what can be said without the API."""

    stack: str
    backend: str
    at: datetime
    cluster: Cluster = Cluster()
    reaches: tuple[Reach, ...] = ()
    away: Away | None = None
