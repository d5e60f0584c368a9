"""The SSH files of one lab, all under .stacklab/labs/<stack>/ssh: the lab's key, host keys, known_hosts, a config.

Host keys are made before a machine is, and given to it: the first contact is verified like every other. Machines that
exist already have keys of their own, and are reached with the user's.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from modules.base import paths, shell
from modules.base.errors import StacklabError
from modules.machines import remote
from modules.machines.login import Login
from modules.topology.plan import LabPlan, Machine

PRIVATE = 0o600


@dataclass(frozen=True)
class SshFiles:
    """Where each of them is."""

    folder: Path

    @property
    def key(self) -> Path:
        return self.folder / "id_ed25519"

    @property
    def public(self) -> Path:
        return self.folder / "id_ed25519.pub"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def config(self) -> Path:
        return self.folder / "config"

    def host_key(self, machine: str) -> Path:
        """The private host key of a machine; the public one beside it ends in .pub."""
        return self.folder / "hosts" / machine


def of(stack: str) -> SshFiles:
    """The files of the lab of that stack, made or not."""
    return SshFiles(paths.lab(stack) / "ssh")


def make(stack: str, machines: Sequence[tuple[str, str]]) -> SshFiles:
    """Make what is missing for machines (name, address); what is there stays. Keys of machines that went go."""
    files = of(stack)
    _own(files.folder)
    _own(files.folder / "hosts")
    _make_key(files.key, f"stacklab-{stack}")
    for name, _ in machines:
        _make_key(files.host_key(name), f"{name} of stacklab-{stack}")
    wanted = {name for name, _ in machines} | {f"{name}.pub" for name, _ in machines}
    for file in (files.folder / "hosts").iterdir():
        if file.name not in wanted:
            file.unlink()
    known = "".join(_known(name, address, files.host_key(name)) for name, address in machines)
    _write(files.known_hosts, known)
    logins = [Login(name, address, files.key, files.known_hosts) for name, address in machines]
    _write(files.config, config(logins))
    return files


def contents(files: SshFiles, machines: Sequence[str]) -> dict[str, str]:
    """The private keys as texts, by their paths inside the folder: what a state keeps (as a secret)."""
    private = [files.key, *(files.host_key(name) for name in machines)]
    return {str(file.relative_to(files.folder)): file.read_text() for file in private if file.exists()}


def restore(stack: str, kept: Mapping[str, str]) -> None:
    """Put back private keys that are missing: another checkout, or a folder that was cleaned."""
    files = of(stack)
    for name, text in kept.items():
        target = files.folder / name
        if not target.exists() and not Path(name).is_absolute() and ".." not in Path(name).parts:
            _own(files.folder)
            _own(target.parent)
            _write(target, text)


def public(private: Path) -> str:
    """The public key of a private one: type and key."""
    said = shell.run(["ssh-keygen", "-y", "-P", "", "-f", private], timeout=20, hint="is the file a private key?")
    return " ".join(said.stdout.split()[:2])


def remove(stack: str) -> None:
    """End the lab's connections and remove its SSH files."""
    files = of(stack)
    remote.close_all(files.known_hosts)
    shutil.rmtree(files.folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        files.folder.parent.rmdir()


def login(plan: LabPlan, machine: Machine) -> Login:
    """How a machine of a plan is reached."""
    files = of(plan.stack)
    if plan.backend == "ssh":
        return Login(
            machine=machine.name,
            address=machine.address,
            key=Path(plan.ssh.key).expanduser(),
            known_hosts=files.known_hosts,
            user=plan.ssh.user,
            port=plan.ssh.port,
            accept_new=True,
            also_known=tuple(p for p in [Path.home() / ".ssh" / "known_hosts"] if p.exists()),
        )
    return Login(machine.name, machine.address, files.key, files.known_hosts, jump=jump(plan.libvirt.uri))


def prepare(stack: str, logins: Sequence[Login]) -> SshFiles:
    """For machines that exist already: the folder and the config; known_hosts is filled at the first contact."""
    files = of(stack)
    _own(files.folder)
    _write(files.config, config(logins))
    return files


def jump(uri: str) -> str:
    """The host that a libvirt URI with ssh in it names, as ssh -J wants it; "" for this host."""
    parts = urlsplit(uri)
    if not parts.scheme.endswith("+ssh") or not parts.hostname:
        return ""
    user = f"{parts.username}@" if parts.username else ""
    return f"{user}{parts.hostname}" + (f":{parts.port}" if parts.port else "")


def config(logins: Sequence[Login]) -> str:
    """A configuration for people: `ssh -F <config> <machine>`. Pure."""
    blocks = []
    for one in logins:
        short = one.machine.split(".")[0]
        names = dict.fromkeys([one.machine, short, one.address])
        known = " ".join(f'"{path}"' for path in (one.known_hosts, *one.also_known))
        lines = [
            f"Host {' '.join(names)}",
            f"    HostName {one.address}",
            f"    User {one.user}",
            f"    Port {one.port}",
            f'    IdentityFile "{one.key}"',
            "    IdentitiesOnly yes",
            f"    UserKnownHostsFile {known}",
            f"    StrictHostKeyChecking {'accept-new' if one.accept_new else 'yes'}",
        ]
        if one.jump:
            lines.append(f"    ProxyJump {one.jump}")
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _known(name: str, address: str, host_key: Path) -> str:
    names = ",".join(dict.fromkeys([address, name]))
    return f"{names} {' '.join(host_key.with_name(host_key.name + '.pub').read_text().split()[:2])}\n"


def _make_key(path: Path, comment: str) -> None:
    beside = path.with_name(path.name + ".pub")
    if path.exists():
        path.chmod(PRIVATE)
        if not beside.exists():
            _write(beside, f"{public(path)} {comment}\n", 0o644)
        return
    # Under a name of its own first: an interrupted run leaves no half key, two at once do not meet.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    shell.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", draft],
        timeout=20,
        hint="the OpenSSH client is needed: apt-get install openssh-client",
    )
    draft.with_name(draft.name + ".pub").replace(beside)
    draft.replace(path)


def _own(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise StacklabError(f"cannot be made: {error.strerror}", where=str(folder)) from None


def _write(path: Path, text: str, mode: int = PRIVATE) -> None:
    """Whole or not at all; not touched when it says so already."""
    if path.exists() and path.read_text() == text:
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as out:
        out.write(text)
    draft.replace(path)
