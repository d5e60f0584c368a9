"""The door to one machine over SSH: run a script as root, read, write and upload files.

Connections are shared (ControlMaster): the first call opens one, the calls of all processes go over it, and it ends by
itself soon after the last. Scripts and contents go in by stdin, so nobody sees them in a list of processes.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from modules.base import shell
from modules.base.errors import CommandError, OwnershipError
from modules.base.shell import Result
from modules.machines import command
from modules.machines.login import Login

GRACE = 20.0  # what connecting may take beyond the time that a script has
_CUT = 255  # ssh's own exit status when it is not the script that failed
_NOT_THERE = 44
_OVERTIME = (124, 137)


class UnreachableError(CommandError):
    """The machine was not reached, or the connection was cut: nothing is known of what the script did."""


class StrangerError(UnreachableError):
    """Whoever answers there has not the host key that is known: another machine, or the same one made anew."""


class Remote:
    """One machine. Several may be used at the same time, also of one machine."""

    def __init__(self, login: Login) -> None:
        self.login = login

    def run(
        self,
        script: str,
        *,
        timeout: float,
        check: bool = True,
        hint: str = "",
        redact: Sequence[str] = (),
        on_line: Callable[[str], None] | None = None,
        stdin: str = "",
    ) -> Result:
        """Run a POSIX sh script as root; `stdin` is what it can read. The script ends there when time is over.

        With check=False an exit status other than 0 is returned; a machine that is out of reach and a time-out are
        always raised. The script's own exit status 255 cannot be told from a cut connection.
        """
        size = len(script.encode())
        line = command.as_root(self.login, command.from_stdin(size), timeout)
        found = self._call(
            command.call(self.login, line),
            timeout=timeout,
            stdin=script + stdin,
            redact=redact,
            on_line=on_line,
            about=script,
        )
        if check and found.code != 0:
            raise self._failed(found, script, hint, redact)
        return found

    def read(self, path: str) -> str | None:
        """The text of a file; None when it is not there."""
        name = shlex.quote(path)
        found = self.run(f"[ -e {name} ] || exit {_NOT_THERE}; cat {name}", timeout=30, check=False)
        if found.code == _NOT_THERE:
            return None
        if found.code != 0:
            raise self._failed(found, f"cat {name}", "", ())
        return found.stdout

    def write(self, path: str, content: str, mode: int = 0o644) -> None:
        """Write a file whole or not at all; its folders are made."""
        script = _receive(path, mode, len(content.encode()))
        self.run(script, timeout=60, stdin=content, hint="df -h; is the disk full?")

    def upload(self, source: Path, path: str, mode: int = 0o644) -> None:
        """Bring a file of any size, whole or not at all."""
        size = source.stat().st_size
        timeout = 120 + size / 1_000_000  # a megabyte a second is the least that is of use
        line = command.as_root(self.login, f"PATH={command.PATH} LC_ALL=C; {_receive(path, mode, size)}", timeout)
        # sh opens the file as ssh's input: nothing of it passes through this process.
        words = ["sh", "-c", 'f=$1; shift; exec "$@" <"$f"', "upload", str(source), *command.call(self.login, line)]
        found = self._call(words, timeout=timeout)
        if found.code != 0:
            raise self._failed(found, f"cat > {shlex.quote(path)}", "df -h; is the disk full?", ())

    def answers(self) -> bool:
        """Whether a script can be run there as root, now."""
        try:
            self.run("true", timeout=15)
        except CommandError:
            return False
        return True

    def close(self) -> None:
        """End the shared connection; the next call opens another."""
        if command.socket(self.login).exists():
            shell.run(command.stop(self.login), timeout=10, check=False, where=self.login.machine)

    def _call(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        stdin: str | None = None,
        redact: Sequence[str] = (),
        on_line: Callable[[str], None] | None = None,
        about: str = "",
    ) -> Result:
        _own_folder(command.sockets(self.login.known_hosts))
        try:
            found = shell.run(
                argv,
                timeout=timeout + GRACE,
                stdin=stdin,
                check=False,
                where=self.login.machine,
                redact=redact,
                on_line=on_line,
            )
        except CommandError as error:
            raise self._overtime(timeout, error.output, about, redact) from None
        if found.code == _CUT:
            said = shell.hide(found.stderr, redact)
            what, hint = command.refusal(self.login, said)
            kind = StrangerError if command.stranger(said) else UnreachableError
            raise kind(
                what,
                code=found.code,
                command=command.paste(self.login),
                output=said,
                where=self.login.machine,
                hint=hint,
            )
        if found.code in _OVERTIME and found.seconds >= timeout:
            raise self._overtime(timeout, found.stdout + found.stderr, about, redact)
        return found

    def _overtime(self, timeout: float, output: str, about: str, redact: Sequence[str]) -> CommandError:
        return CommandError(
            f"a script was stopped after {timeout:g} s",
            code=None,
            command=shell.hide(command.paste(self.login, about), redact),
            output=shell.hide(output, redact),
            where=self.login.machine,
        )

    def _failed(self, found: Result, script: str, hint: str, redact: Sequence[str]) -> CommandError:
        output = shell.hide(found.stdout + found.stderr, redact)
        sudo = command.sudo_complaint(self.login, found.stderr)
        return CommandError(
            f"{self.login.user} cannot become root" if sudo else f"a script failed with exit status {found.code}",
            code=found.code,
            command=shell.hide(command.paste(self.login, script), redact),
            output=output,
            where=self.login.machine,
            hint=sudo or hint,
        )


def close_all(known_hosts: Path) -> None:
    """End every connection of a lab and remove its sockets, whoever opened them."""
    folder = command.sockets(known_hosts)
    for one in sorted(folder.glob("*")) if folder.is_dir() else ():
        shell.run(["ssh", "-F", "none", "-O", "exit", "-o", f"ControlPath={one}", "lab"], timeout=10, check=False)
        one.unlink(missing_ok=True)
    for empty in (folder, folder.parent):
        try:
            empty.rmdir()
        except OSError:
            return


def _receive(path: str, mode: int, size: int) -> str:
    """A script that puts what it reads into a file: a new one beside it takes its place, with the mode from the start.

    A connection that is cut looks like the end of the file, so its size is told. What a container engine has mounted
    on a machine's file (/etc/hosts) can only be written into.
    """
    folder, name = os.path.split(path)
    return (
        f"set -e; umask 077; target={shlex.quote(path)}; folder={shlex.quote(folder)}; "
        f'part="$folder"/{shlex.quote(f".{name}.stacklab-part")}; '
        '[ -d "$folder" ] || (umask 022; mkdir -p "$folder"); '
        'trap "" PIPE HUP; trap \'rm -f "$part"\' EXIT; cat >"$part"; '
        f'[ "$(stat -c %s "$part")" = {size} ] || {{ echo "the file did not come whole" >&2; exit 1; }}; '
        f'chmod {mode:o} "$part"; mv -fT "$part" "$target" 2>/dev/null || cat "$part" >"$target"'
    )


def _own_folder(folder: Path) -> None:
    """In /tmp others can make a folder of our name first: ssh would hand them our connections."""
    for one in (folder.parent, folder):
        one.mkdir(mode=0o700, parents=True, exist_ok=True)
        seen = one.lstat()
        if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.getuid() or seen.st_mode & 0o077:
            raise OwnershipError(f"{one} is not a folder of ours alone", hint=f"ls -ld {one}; rm -r {one}")
