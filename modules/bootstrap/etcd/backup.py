"""A cluster's etcd as one file on this host, and back: of masters with etcd in a static pod, and of members outside."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from modules import artifacts
from modules.base import shell
from modules.base.errors import CommandError, StacklabError
from modules.bootstrap.etcd import config, snapshot
from modules.bootstrap.etcd.config import Member
from modules.bootstrap.kubeadm import certificates, kubectl
from modules.machines import command, keys
from modules.machines.remote import Remote
from modules.topology.plan import LabPlan

Say = Callable[[str], None]
TIMEOUT = 300.0
ETCDUTL = "/opt/stacklab/etcd/{version}/etcdutl"


@dataclass(frozen=True)
class Lab:
    """members run etcd; outside: not on the masters."""

    cluster: str
    etcd_version: str
    masters: tuple[Remote, ...]
    members: tuple[tuple[Member, Remote], ...]
    outside: bool

    @property
    def initial(self) -> str:
        return ",".join(f"{member.name}={member.peer}" for member, _ in self.members)


def lab_of(plan: LabPlan) -> Lab:
    """From the plan of a lab that is up."""
    masters = [m for m in plan.machines if m.role == "master"]
    named = [m for name in plan.etcd for m in plan.machines if m.name == name] or masters
    return Lab(
        cluster=plan.cluster,
        etcd_version=artifacts.release(plan.kubernetes).etcd,
        masters=tuple(Remote(keys.login(plan, m)) for m in masters),
        members=tuple((Member(m.name, m.address), Remote(keys.login(plan, m))) for m in named),
        outside=bool(plan.etcd),
    )


def save(lab: Lab, target: Path, say: Say) -> str:
    """Write a snapshot and its digest beside it, for their owner's eyes only; the digest."""
    if target.exists():
        raise StacklabError("there is such a file already", where=str(target), hint="give another name with -o")
    remote = _healthy(lab)
    say(f"{remote.login.machine}: takes a snapshot")
    try:
        if lab.outside:
            call = config.etcdctl("snapshot", "save", f"{config.DATA}/stacklab-snapshot.db")
            place = f"{config.DATA}/stacklab-snapshot.db"
            remote.run(f"umask 077\nrm -f {place} {place}.part\n{call}", timeout=TIMEOUT)
        else:
            place = snapshot.SNAPSHOT
            remote.run(snapshot.save(), timeout=TIMEOUT)
        digest = remote.run(f"sha256sum {place} | cut -d' ' -f1", timeout=60).stdout.strip()
        _download(remote, place, target)
    finally:
        remote.run(f"rm -f {snapshot.SNAPSHOT} {config.DATA}/stacklab-snapshot.db", timeout=30)
    if digest_of(target) != digest:
        target.unlink()
        raise StacklabError("the snapshot did not arrive as it was sent", where=remote.login.machine, hint="try again")
    _private(_beside(target), f"{digest}  {target.name}\n")
    return digest


def check(file: Path) -> None:
    """Whether it is there, and what its digest says, where that is beside it."""
    if not file.is_file():
        raise StacklabError("there is no such file", where=str(file), hint="stacklab etcd backup writes one")
    noted = _beside(file)
    if noted.exists() and noted.read_text().split()[:1] != [digest_of(file)]:
        raise StacklabError(f"it is not what {noted.name} says", where=str(file), hint="take another backup")


def restore(lab: Lab, file: Path, say: Say) -> None:
    """All members begin anew with what the snapshot holds; the API stops before and is back after."""
    check(file)
    utl = ETCDUTL.format(version=lab.etcd_version)
    program = artifacts.binary("etcdutl", lab.etcd_version)
    for _, remote in lab.members:
        if remote.run(f"test -x {utl}", timeout=20, check=False).code != 0:
            remote.upload(program, utl, 0o755)
        remote.upload(file, snapshot.COMING, 0o600)
        # Whether the file is one, before anything stops.
        remote.run(f"{utl} snapshot status {snapshot.COMING}", timeout=60, hint="take another backup")
    for remote in lab.masters:
        say(f"{remote.login.machine}: the API stops")
        remote.run(snapshot.stop(), timeout=180)
    if lab.outside:
        for _, remote in lab.members:
            remote.run(f"systemctl stop {config.SERVICE}", timeout=90)
    for member, remote in lab.members:
        say(f"{member.name}: goes back to the snapshot")
        data = config.DATA if lab.outside else snapshot.DATA
        script = snapshot.restore(utl, member.name, member.peer, lab.initial, f"{lab.cluster}-restored", data=data)
        remote.run(script, timeout=TIMEOUT)
    if lab.outside:
        for member, remote in lab.members:
            remote.write(config.CONFIG, config.config(member, [m for m, _ in lab.members], lab.cluster, existing=False))
            remote.run(f"systemctl start --no-block {config.SERVICE}", timeout=30)
    for remote in lab.masters:
        say(f"{remote.login.machine}: the API starts")
        remote.run(snapshot.start(), timeout=90)
    for remote in lab.masters:
        certificates.wait_healthy(remote, timeout=240)
    # What controllers and kubelets knew is of a future that is gone: they look again.
    for remote in lab.masters:
        remote.run(snapshot.LOOK_AGAIN, timeout=120)
        certificates.wait_healthy(remote)


def digest_of(file: Path) -> str:
    whole = hashlib.sha256()
    with file.open("rb") as content:
        while part := content.read(1 << 20):
            whole.update(part)
    return whole.hexdigest()


def _healthy(lab: Lab) -> Remote:
    if not lab.outside:
        return kubectl.need_healthy(lab.masters).master
    for _, remote in lab.members:
        try:
            if remote.run(config.etcdctl("endpoint", "health"), timeout=20, check=False).code == 0:
                return remote
        except CommandError:
            continue
    names = ", ".join(member.name for member, _ in lab.members)
    raise StacklabError(f"no member of etcd answers: {names}", hint=f"journalctl -u {config.SERVICE} there")


def _download(remote: Remote, place: str, target: Path) -> None:
    """The file goes from ssh's output to the disk, and through nothing that could keep it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _private(target, "")
    line = command.as_root(remote.login, f"cat {shlex.quote(place)}", TIMEOUT)
    words: Sequence[str] = ["sh", "-c", 'f=$1; shift; exec "$@" >"$f"', "download", str(target)]
    shell.run([*words, *command.call(remote.login, line)], timeout=TIMEOUT + 20, where=remote.login.machine)


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.sha256")


def _private(file: Path, content: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(content)
