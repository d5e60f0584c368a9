"""The OpenSSH command lines of a login, and what its complaints mean. Pure.

No configuration of the user or the host is read (-F none), so a lab does the same everywhere; only a host on the way
is reached as the user reaches it.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from pathlib import Path

from modules.machines.login import Login

CONNECT = 15  # seconds; a machine under full emulation takes its time to greet
KEEP = 60  # seconds a connection stays open for the next process that wants it
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def runtime() -> Path:
    """A short folder for sockets: their paths may have no more than 108 bytes."""
    own = os.environ.get("XDG_RUNTIME_DIR", "")
    if own and len(own) <= 40 and Path(own).is_dir():
        return Path(own) / "stacklab"
    return Path(f"/tmp/stacklab-{os.getuid()}")  # noqa: S108  (made for us alone, checked at use)


def sockets(known_hosts: Path) -> Path:
    """The folder of all sockets of one lab."""
    return runtime() / _digest(str(known_hosts.parent))


def socket(login: Login) -> Path:
    """The socket of one login."""
    where = (login.user, login.address, str(login.port), str(login.key), login.jump)
    return sockets(login.known_hosts) / _digest("\0".join(where))


def options(login: Login) -> list[str]:
    """What every call of ssh has."""
    known = " ".join(f'"{path}"' for path in (login.known_hosts, *login.also_known))
    found = ["-F", "none", "-i", str(login.key), "-p", str(login.port)]
    settings = {
        "BatchMode": "yes",
        "IdentitiesOnly": "yes",
        "PreferredAuthentications": "publickey",
        "StrictHostKeyChecking": "accept-new" if login.accept_new else "yes",
        "UserKnownHostsFile": known,
        "HashKnownHosts": "no",
        "UpdateHostKeys": "no",
        "ConnectTimeout": str(CONNECT),
        "ServerAliveInterval": "10",
        "ServerAliveCountMax": "4",
        "LogLevel": "ERROR",
        "ControlMaster": "auto",
        "ControlPath": str(socket(login)),
        "ControlPersist": str(KEEP),
    }
    for name, value in settings.items():
        found += ["-o", f"{name}={value}"]
    if login.jump:
        found += ["-o", f"ProxyCommand={_by_way_of(login.jump)}"]
    return found


def call(login: Login, remote: str) -> list[str]:
    """ssh that runs `remote`, a command line for the shell of the user there."""
    return ["ssh", *options(login), f"{login.user}@{login.address}", remote]


def stop(login: Login) -> list[str]:
    """ssh that ends the shared connection."""
    return ["ssh", "-F", "none", "-O", "exit", "-o", f"ControlPath={socket(login)}", login.address]


def as_root(login: Login, script: str, timeout: float) -> str:
    """The command line there that runs a script as root, and no longer than `timeout` even when we are gone."""
    sudo = "" if login.user == "root" else "sudo -n "
    return f"exec {sudo}timeout -k 5 {timeout:g} sh -c {shlex.quote(script)}"


def from_stdin(size: int) -> str:
    """A script that takes a script of `size` bytes off its input and runs it: not in an argument that others see."""
    return f'export PATH={PATH} LC_ALL=C; eval "$(head -c {size})"'


def paste(login: Login, script: str = "") -> str:
    """What a person types to be there; a script of one line comes along."""
    words = ["ssh", "-F", "none", "-i", str(login.key)]
    if login.port != 22:
        words += ["-p", str(login.port)]
    if login.jump:
        words += ["-J", login.jump]
    words += ["-o", f"UserKnownHostsFile={login.known_hosts}", f"{login.user}@{login.address}"]
    line = script.strip()
    if line and "\n" not in line and len(line) <= 300:
        words.append(line if login.user == "root" else f"sudo sh -c {shlex.quote(line)}")
    return shlex.join(words)


def stranger(said: str) -> bool:
    """Whether ssh refused the host key of whoever answered: from what it said."""
    return "host key" in said.lower() or "host identification" in said.lower()


def refusal(login: Login, said: str) -> tuple[str, str]:
    """Why ssh itself failed, and what to do: from what it said."""
    lower = said.lower()
    at = f"{login.address}:{login.port}"
    if stranger(said):
        entry = login.address if login.port == 22 else f"[{login.address}]:{login.port}"
        forget = shlex.join(["ssh-keygen", "-f", str(login.known_hosts), "-R", entry])
        return (
            f"the machine at {at} does not have the host key that is known for it",
            f"somebody else may be at that address; when the machine was really made anew: {forget}",
        )
    if "permission denied" in lower or "too many authentication" in lower:
        target = shlex.join(["-p", str(login.port), f"{login.user}@{login.address}"])
        return (
            f"{at} does not let {login.user} in with the key {login.key}",
            f"ssh-copy-id -i {shlex.quote(str(login.key))} {target}",
        )
    if "no such identity" in lower or "identity file" in lower:
        return f"the key {login.key} is not there", "name another one under ssh.key of the stack file"
    if any(sign in lower for sign in ("timed out", "refused", "no route", "unreachable", "could not resolve")):
        return f"nobody answers SSH at {at}", "is the machine up, is the address right, does its sshd run?"
    return f"the connection to {at} was cut", "run the same command again; it goes on where it stopped"


def sudo_complaint(login: Login, said: str) -> str:
    """What to do when sudo is the one that refused; "" when it is not."""
    if login.user == "root" or not said.strip():
        return ""
    if "sudo: not found" in said or "sudo: command not found" in said or "sudo: No such file" in said:
        return f"install sudo there, or log in as root (ssh.user: root); {login.user} cannot become root"
    if "sudo: a password is required" in said or "is not in the sudoers" in said or "may not run sudo" in said:
        rule = f"{login.user} ALL=(ALL) NOPASSWD: ALL"
        return f"let {login.user} become root without a password: echo '{rule}' > /etc/sudoers.d/{login.user}"
    return ""


def _by_way_of(jump: str) -> str:
    return shlex.join(["ssh", "-o", "BatchMode=yes", "-W", "[%h]:%p", f"ssh://{jump}"])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
