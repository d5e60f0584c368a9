"""Does a container engine really work here? Run a tiny privileged container on a network of its own and see.

There may be no image registry in reach, so the container holds nothing but a program of a dozen bytes that exits 0.
"""

from __future__ import annotations

import io
import struct
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from modules.base.errors import CommandError, HostError
from modules.base.shell import Result

NAME = "stacklab-probe"
Run = Callable[..., Result]  # (*args, timeout=..., stdin=...) of an engine

# exit(0) for each machine we support: ELF machine number, code.
_EXIT = {
    "x86_64": (62, bytes.fromhex("31ffb83c0000000f05")),
    "aarch64": (183, bytes.fromhex("000080d2a80b80d2010000d4")),
}
_BASE = 0x400000


def tiny_program(machine: str) -> bytes:
    """A static ELF executable that exits 0."""
    if machine not in _EXIT:
        raise HostError(f"a {machine} machine cannot run labs", hint="use an x86_64 or aarch64 Linux machine")
    number, code = _EXIT[machine]
    size = 64 + 56 + len(code)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    head = struct.pack("<HHIQQQIHHHHHH", 2, number, 1, _BASE + 120, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000)
    return ident + head + segment + code


def try_podman(run: Run, machine: str, scratch: Path) -> None:
    """Raise CommandError with podman's own words when it cannot do what kind asks of it."""
    with tempfile.TemporaryDirectory(dir=scratch, prefix="probe-") as folder:
        program = Path(folder) / "true"
        program.write_bytes(tiny_program(machine))
        program.chmod(0o755)
        _on_own_network(run, "--rootfs", folder, "/true")


def try_docker(run: Run, machine: str) -> None:
    """The same for docker, which needs an image: imported for the trial, removed after it."""
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        file.write(_tar(tiny_program(machine)))
        file.flush()
        run("import", file.name, NAME, timeout=30)
    try:
        _on_own_network(run, NAME, "/true")
    finally:
        run("rmi", "--force", NAME, timeout=30, check=False)


def refuse_unfit_docker(run: Run) -> None:
    """A docker that is podman in disguise, has no daemon, or is rootless is of no use, whatever a container does."""
    if "podman" in run("--version", timeout=10).stdout.lower():
        raise HostError("docker is podman under another name")
    try:
        options = run("info", "--format", "{{json .SecurityOptions}}", timeout=10).stdout
    except CommandError as error:
        last = error.output.strip().splitlines()[-1:] or [error.what]
        raise HostError(last[0]) from None
    if "rootless" in options:
        raise HostError("docker runs rootless: machines' addresses cannot be reached from this host")


def _on_own_network(run: Run, *what: str) -> None:
    _clear(run)  # of a trial that was killed; callers hold a lock, so none is under way
    run("network", "create", NAME, timeout=20)
    try:
        run("run", "--rm", "--privileged", "--name", NAME, "--network", NAME, *what, timeout=30)
    finally:
        _clear(run)


def _clear(run: Run) -> None:
    run("rm", "--force", NAME, timeout=20, check=False)
    run("network", "rm", NAME, timeout=20, check=False)


def _tar(program: bytes) -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w") as archive:
        entry = tarfile.TarInfo("true")
        entry.size, entry.mode = len(program), 0o755
        archive.addfile(entry, io.BytesIO(program))
    return into.getvalue()
