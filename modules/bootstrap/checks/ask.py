"""Facts of several machines at the same time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from modules.base.errors import CommandError
from modules.bootstrap import facts
from modules.bootstrap.facts import Facts
from modules.machines import command
from modules.machines.login import Login
from modules.machines.remote import Remote

TIMEOUT = 40.0


@dataclass(frozen=True)
class Answer:
    """Facts, or why there are none. ahead: seconds that the machine's clock is before this host's."""

    facts: Facts | None
    ahead: float = 0.0
    error: str = ""
    command: str = ""
    hint: str = ""


def ask(logins: Sequence[Login]) -> Mapping[str, Answer]:
    """Every machine's answer by its name."""
    with ThreadPoolExecutor(max_workers=max(1, min(len(logins), 16))) as pool:
        return dict(zip([one.machine for one in logins], pool.map(_one, logins), strict=True))


def _one(login: Login) -> Answer:
    if not login.key.exists():
        hint = f"name another one under ssh.key of the stack file, or make it: ssh-keygen -t ed25519 -f {login.key}"
        return Answer(None, error=f"the key {login.key} is not there", hint=hint)
    remote = Remote(login)
    try:
        remote.run("true", timeout=TIMEOUT)  # so that the clock is not asked while the connection is made
        begun = time.time()
        found = facts.parse(remote.run(facts.PROBE, timeout=TIMEOUT).stdout)
    except CommandError as error:
        return Answer(None, error=error.what, command=command.paste(login), hint=error.hint)
    return Answer(found, ahead=found.time - begun)
