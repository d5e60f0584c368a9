"""A real SSH server on loopback for tests: own port, keys, users and system files, all of which end with it.

It runs in a mount namespace of its own with a copy of /etc, where passwd and a few other files are ours, and an empty
/run: users can be added, and /etc/hosts changed, without the host seeing any of it. Where sshd is not installed, the
package is unpacked into the cache: installing it would start a server that nobody asked for.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from modules.base import paths, probe, shell
from modules.machines.login import Login

USERS = {"admin": 2001, "guest": 2002}  # one that sudo lets become root, and one that it does not
FILES = ("passwd", "shadow", "group", "sudoers", "hosts", "fstab", "hostname")


@dataclass
class Server:
    """The server. `login` reaches it as root, with its host key known."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def login(self, user: str = "root", **changed: object) -> Login:
        values: dict[str, object] = {
            "machine": "m1",
            "address": "127.0.0.1",
            "port": self.port,
            "user": user,
            "key": self.folder / "client",
            "known_hosts": self.folder / "ssh" / "known_hosts",
            **changed,
        }
        return Login(**values)  # type: ignore[arg-type]

    def cut(self) -> None:
        """End every connection that is open, as a cable does that is pulled: what they started lives on."""
        for pid in _connections(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def file(self, name: str) -> Path:
        """What the server sees as /etc/<name>."""
        return self.folder / "etc" / name


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """Start it, wait for it, end it with all its connections."""
    if os.geteuid() != 0:
        pytest.fail("these tests start an SSH server with users of its own: run them as root")
    with tempfile.TemporaryDirectory(prefix="sshd-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        found = _start(folder)
        try:
            yield found
        finally:
            found.cut()
            found.process.terminate()
            found.process.wait(10)


def _start(folder: Path) -> Server:
    binary, env = _sshd()
    (folder / "ssh").mkdir()
    for key in ("client", "stranger", "host", "other-host"):
        shell.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], timeout=20)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shutil.copy(folder / "client.pub", folder / "authorized")
    (folder / "authorized").chmod(0o644)
    host = " ".join((folder / "host.pub").read_text().split()[:2])
    (folder / "ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {host}\n")
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/authorized\nPasswordAuthentication no\nPermitRootLogin yes\nLogLevel ERROR\n"
    )
    _etc(folder / "etc")
    mounts = "".join(f"mount --bind {folder}/etc/{name} /etc/{name}; " for name in FILES)
    script = (
        f"set -e; cp -a /etc {folder}/all; mount --bind {folder}/all /etc; "
        f"for f in {' '.join(FILES)}; do [ -e /etc/$f ] || : >/etc/$f; done; "
        f"{mounts} mount -t tmpfs -o mode=755 none /run; mkdir /run/sshd; exec {binary} -D -e -f {folder}/config"
    )
    log = (folder / "log").open("wb")
    process = subprocess.Popen(  # lives on while the test goes on: not a call to wait for
        ["unshare", "--mount", "--uts", "--propagation", "private", "sh", "-c", script],
        env={**os.environ, **env},
        stdout=log,
        stderr=log,
    )

    def look() -> probe.Answer[bool]:
        with socket.socket() as one:
            one.settimeout(1)
            up = one.connect_ex(("127.0.0.1", port)) == 0
        return probe.Answer(True if up else None, (folder / "log").read_text())

    probe.wait_for("sshd listens", look, timeout=10, every=0.05)
    return Server(folder, port, process)


def _etc(folder: Path) -> None:
    folder.mkdir()
    passwd = ["root:x:0:0:root:/root:/bin/sh", "sshd:x:2000:65534::/run/sshd:/usr/sbin/nologin"]
    passwd += [f"{name}:x:{uid}:{uid}::/:/bin/sh" for name, uid in USERS.items()]
    (folder / "passwd").write_text("\n".join(passwd) + "\n")
    (folder / "shadow").write_text("".join(f"{name}:*:19000:0:99999:7:::\n" for name in ("root", *USERS)))
    (folder / "group").write_text("root:x:0:\nnogroup:x:65534:\n" + "".join(f"{n}:x:{i}:\n" for n, i in USERS.items()))
    (folder / "sudoers").write_text("root ALL=(ALL) ALL\nadmin ALL=(ALL) NOPASSWD: ALL\n")
    (folder / "sudoers").chmod(0o440)
    (folder / "hosts").write_text("127.0.0.1 localhost\n")
    (folder / "fstab").write_text("/dev/vda1 / ext4 defaults 0 1\n")
    (folder / "hostname").write_text("before\n")


def _sshd() -> tuple[str, dict[str, str]]:
    """The server's program, and what it needs in its environment."""
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found:
        return found, {}
    unpacked = paths.cache() / "tests" / "sshd"
    binary = unpacked / "usr" / "sbin" / "sshd"
    if not binary.exists():
        room = Path(tempfile.mkdtemp(prefix="sshd-deb-"))
        room.chmod(0o755)
        hint = "apt-get install openssh-server"
        shell.run(["apt-get", "download", "openssh-server", "libwrap0"], cwd=room, timeout=120, hint=hint)
        unpacked.mkdir(parents=True, exist_ok=True)
        for package in room.glob("*.deb"):
            shell.run(["dpkg-deb", "-x", package, unpacked], timeout=60)
        shutil.rmtree(room)
    libraries = sorted({str(one.parent) for one in unpacked.glob("usr/lib/*/lib*.so.*")})
    return str(binary), {"LD_LIBRARY_PATH": ":".join(libraries)}


def _connections(pid: int) -> list[int]:
    text = shell.run(["ps", "-o", "pid=,comm=", "--ppid", str(pid)], timeout=10, check=False).stdout
    own = [int(line.split()[0]) for line in text.splitlines() if line.split()[1].startswith("sshd")]
    return own + [below for one in own for below in _connections(one)]
