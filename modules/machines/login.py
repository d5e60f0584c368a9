"""How one machine is reached over SSH; the files are the lab's own (modules.machines.keys)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Login:
    """`machine` is its name in the stack file, for messages. `jump` is a host on the way, as ssh -J wants it.

    `known_hosts` belongs to the lab. Host keys are known before the first contact, but for machines that others made:
    there `accept_new` notes the key at the first contact, unless one of `also_known` has it already.
    """

    machine: str
    address: str
    key: Path
    known_hosts: Path
    user: str = "root"
    port: int = 22
    jump: str = ""
    accept_new: bool = False
    also_known: tuple[Path, ...] = ()
