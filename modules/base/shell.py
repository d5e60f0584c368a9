"""The one door to other programs: argument lists, a time limit, a log, and an error that pastes into a shell.

Everything that runs kind, podman, docker, go, kubectl, ... comes through `run`. Secrets go in by `stdin` or by a file,
never by argv; words given as `redact` are hidden in logs and errors.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sh

from modules.base.errors import CommandError

log = logging.getLogger("stacklab.shell")


@dataclass(frozen=True)
class Result:
    """What a finished program left: exit status, both streams as text, wall seconds."""

    code: int
    stdout: str
    stderr: str
    seconds: float


def paste(argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """The command line a person can paste; only variables that differ from our own environment are shown."""
    words = [f"{k}={shlex.quote(v)}" for k, v in sorted((env or {}).items()) if os.environ.get(k) != v]
    line = " ".join([*words, *(shlex.quote(a) for a in argv)])
    return f"cd {shlex.quote(str(cwd))} && {line}" if cwd else line


def run(
    argv: Sequence[str | Path],
    *,
    timeout: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    check: bool = True,
    where: str = "",
    hint: str = "",
    redact: Sequence[str] = (),
    on_line: Callable[[str], None] | None = None,
) -> Result:
    """Run a program to its end.

    env is added to our own environment. timeout is in seconds; the program's process group is killed when it is over.
    on_line is called with each line of either stream as it comes. With check=False a non-zero exit is returned, not
    raised; a time-out and a missing program always raise CommandError.
    """
    words = [str(a) for a in argv]
    line = hide(paste(words, env=env, cwd=cwd), redact)
    log.debug("run %s", line)
    started = time.monotonic()
    out: list[str] = []
    err: list[str] = []

    def collect(into: list[str]) -> Callable[[str], None]:
        def add(text: str) -> None:
            into.append(text)
            if on_line:
                on_line(hide(text.rstrip("\n"), redact))

        return add

    def failure(what: str, code: int | None) -> CommandError:
        text = hide("".join(out) + "".join(err), redact)
        return CommandError(what, code=code, command=line, output=text, where=where, hint=hint)

    try:
        program = sh.Command(words[0])
    except sh.CommandNotFound:
        raise failure(f"{words[0]} is not installed", None) from None
    try:
        process = program(
            *words[1:],
            _in=stdin if stdin is not None else b"",
            _out=collect(out),
            _err=collect(err),
            _env={**os.environ, **(env or {})},
            _cwd=str(cwd) if cwd else None,
            _ok_code=list(range(256)),
            _tty_out=False,
            _new_session=True,
            _decode_errors="replace",
            _return_cmd=True,
            _bg=True,
            _bg_exc=False,
        )
        with _limit(process.pid, timeout) as over:
            process.wait()
    except sh.ErrorReturnCode as error:  # killed by a signal: the exit status is negative
        if not over.is_set():
            raise failure(f"{words[0]} was ended by signal {-error.exit_code}", error.exit_code) from None
    if over.is_set():
        raise failure(f"{words[0]} was stopped after {timeout:g} s", None)
    code = int(process.exit_code)
    seconds = time.monotonic() - started
    log.debug("exit %d after %.1f s: %s", code, seconds, line)
    if check and code != 0:
        raise failure(f"{Path(words[0]).name} failed with exit status {code}", code)
    return Result(code, "".join(out), "".join(err), seconds)


@contextlib.contextmanager
def _limit(group: int, seconds: float) -> Iterator[threading.Event]:
    """Kill a process group when its time is over, and say so.

    sh has a time limit, too; but it looks at it ten times a second, and until it has looked no call ends.
    """
    over = threading.Event()

    def stop() -> None:
        over.set()
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.killpg(group, signal.SIGKILL)

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield over
    finally:
        timer.cancel()


def hide(text: str, secrets: Sequence[str]) -> str:
    """The text with each secret word replaced."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "[secret]")
    return text
