"""A student's way to virtual machines: an SSH key of the student's own, let in and shut out by the lab's key.

Not a copy of the lab's key: that one cannot be taken back without locking the teacher out.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from modules.base import shell
from modules.base.errors import StacklabError
from modules.base.probe import Answer, wait_for
from modules.machines import keys
from modules.machines.login import Login
from modules.machines.remote import Remote, UnreachableError

AUTHORIZED = "/root/.ssh/authorized_keys"
KEY, CONFIG, KNOWN = "id_ed25519", "ssh_config", "known_hosts"
REFUSED = 30.0


def mark(stack: str) -> str:
    """The comment of the student's key: by it the line is found again."""
    return f"stacklab-card-{stack}"


def make_key(folder: Path, stack: str) -> str:
    """The student's public key, as a line; the private one is made once, and stays in the folder."""
    target = folder / KEY
    if not target.exists():
        draft = folder / f".{KEY}.{os.getpid()}"
        for old in (draft, draft.with_name(f"{draft.name}.pub")):
            old.unlink(missing_ok=True)
        hint = "the OpenSSH client is needed: apt-get install openssh-client"
        shell.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", mark(stack), "-f", draft], timeout=20, hint=hint
        )
        draft.with_name(f"{draft.name}.pub").unlink()
        draft.chmod(0o600)
        draft.replace(target)
    return f"{keys.public(target)} {mark(stack)}"


def config(logins: Sequence[Login]) -> str:
    """For `ssh -F ssh_config <machine>` in the student's folder, wherever that is copied to."""
    return keys.config([replace(one, key=Path(KEY), known_hosts=Path(KNOWN)) for one in logins])


def let_in(logins: Sequence[Login], public: str, stack: str, *, authorized: str = AUTHORIZED) -> None:
    """Every machine accepts this key, and no other one of this student."""
    for login in logins:
        Remote(login).run(_script(stack, public, authorized), timeout=60)


def shut_out(logins: Sequence[Login], stack: str, *, authorized: str = AUTHORIZED) -> None:
    """No machine accepts the student's key."""
    for login in logins:
        Remote(login).run(_script(stack, "", authorized), timeout=60)


def prove_refused(logins: Sequence[Login], folder: Path, *, timeout: float = REFUSED) -> None:
    """Log in as the student does, until each machine says no; one that is silent proves nothing."""
    for login in logins:
        theirs = Remote(replace(login, key=folder / KEY))

        def look(theirs: Remote = theirs) -> Answer[bool]:
            # A connection that is open already would answer for the key.
            theirs.close()
            try:
                theirs.run("true", timeout=20)
            except UnreachableError as error:
                return Answer(True if "permission denied" in error.output.lower() else None, str(error))
            return Answer(None, "the machine still accepts the student's key")

        try:
            wait_for("the student's SSH key is refused", look, timeout=timeout, every=1, where=login.machine)
        finally:
            with contextlib.suppress(StacklabError):
                theirs.close()


def _script(stack: str, line: str, authorized: str) -> str:
    """A new file takes the old one's place: a connection that is cut leaves one of both."""
    file, fresh = shlex.quote(authorized), shlex.quote(f"{authorized}.stacklab-part")
    add = f'printf "%s\\n" {shlex.quote(line)} >>{fresh}; ' if line else ""
    # grep ends with 1 when no line is left, and that is fine.
    return (
        f"set -e; umask 077; touch {file}; grep -v {shlex.quote(f' {mark(stack)}$')} {file} >{fresh} || [ $? = 1 ]; "
        f"{add}chmod --reference={file} {fresh}; mv -fT {fresh} {file}"
    )
