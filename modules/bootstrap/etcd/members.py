"""Making the members of an etcd of its own, finding what an earlier run made, replacing one whose machine is new.

The CA's key is on every member, as kubeadm has it on every master: whoever is left can take in another one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from modules.artifacts.machine.payload import folder, payload
from modules.base.errors import CommandError, OwnershipError, StacklabError
from modules.base.probe import Answer, wait_for
from modules.bootstrap.etcd import config
from modules.bootstrap.etcd.config import Member
from modules.machines.remote import Remote

HEALTHY = 90.0
CERTIFICATES = ("etcd-server", "etcd-peer", "etcd-healthcheck-client", "apiserver-etcd-client")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Etcd:
    """The members, each with the door to its machine; owner and stack as in the marks of masters."""

    owner: str
    stack: str
    cluster: str
    kubernetes: str
    members: tuple[tuple[Member, Remote], ...]

    @property
    def all(self) -> tuple[Member, ...]:
        return tuple(member for member, _ in self.members)


@dataclass(frozen=True)
class Client:
    """What an API server needs to reach the members. Holds a private key: from machine to machine, nowhere else."""

    ca: str
    certificate: str
    key: str


def make(etcd: Etcd, say: Say) -> str:
    """All members run and are healthy; the digest of their CA is another one for each etcd ever made."""
    states = {member.name: _state(remote, etcd) for member, remote in etcd.members}
    whole = [pair for pair in etcd.members if states[pair[0].name] == "whole"]
    if not whole:
        _begin(etcd, say)
    for member, remote in etcd.members if whole else ():
        if states[member.name] != "whole":
            _replace(etcd, member, remote, whole[0][1], say)
    for _, remote in etcd.members:
        remote.write(config.MARK, _mark(etcd, "whole"))
    return etcd.members[0][1].run(f"sha256sum {config.CA_CERT} | cut -c1-12", timeout=20).stdout.strip()


def client(etcd: Etcd) -> Client:
    """The API servers' client certificate, from the first member."""
    first = etcd.members[0][1]
    found = [first.read(path) for path in (config.CA_CERT, config.CLIENT_CERT, config.CLIENT_KEY)]
    if None in found:
        raise StacklabError("this member has no certificate for the API servers", where=first.login.machine)
    ca, certificate, key = (text or "" for text in found)
    return Client(ca, certificate, key)


def wipe(etcd: Etcd) -> None:
    """No key of an earlier cluster: one that is made anew has other certificates and could read none of it."""
    _, remote = etcd.members[0]
    remote.run(config.etcdctl("del", "/registry/", "--prefix"), timeout=60)


def undo(etcd: Etcd) -> None:
    """Take it off the machines that answer."""
    for _, remote in etcd.members:
        if remote.answers():
            remote.run(config.undo(), timeout=60)


def _state(remote: Remote, etcd: Etcd) -> str:
    found = remote.read(config.MARK)
    if found is None:
        return "fresh"
    try:
        mark = json.loads(found)
    except ValueError:
        return "begun"
    if (mark.get("owner"), mark.get("stack")) != (etcd.owner, etcd.stack):
        raise OwnershipError(
            f"this machine is a member of the etcd of stack {mark.get('stack')}, of another lab",
            where=remote.login.machine,
            hint=f"take another machine, or destroy that lab first; its mark is {config.MARK}",
        )
    return str(mark.get("state"))


def _mark(etcd: Etcd, state: str) -> str:
    return json.dumps({"owner": etcd.owner, "stack": etcd.stack, "state": state}) + "\n"


def _begin(etcd: Etcd, say: Say) -> None:
    """A new etcd; what a killed run left of one is thrown away."""
    _, first = etcd.members[0]
    for member, remote in etcd.members:
        say(f"{member.name}: etcd: member of a new one")
        remote.run(config.undo(), timeout=60)
        remote.write(config.MARK, _mark(etcd, "begun"))
        remote.write(config.CERTS, config.certificates(member, etcd.kubernetes))
    first.run(f"umask 077; {_kubeadm(etcd)} etcd-ca --config {config.CERTS}", timeout=60)
    ca = _authority(first)
    each(etcd.members, lambda member, remote: _ready(etcd, member, remote, ca, etcd.all, existing=False))
    _wait(etcd, first)


def _replace(etcd: Etcd, member: Member, remote: Remote, through: Remote, say: Say) -> None:
    """The machine is new, or was left half made: the old member goes, this one is taken in."""
    say(f"{member.name}: etcd: takes the place of a member that is gone")
    remote.run(config.undo(), timeout=60)
    remote.write(config.MARK, _mark(etcd, "begun"))
    remote.write(config.CERTS, config.certificates(member, etcd.kubernetes))
    listed = json.loads(through.run(config.etcdctl("member", "list", "-w", "json"), timeout=30).stdout)
    there = {peer: f"{one['ID']:x}" for one in listed["members"] for peer in one.get("peerURLs", [])}
    if member.peer in there:
        through.run(config.etcdctl("member", "remove", there[member.peer]), timeout=30)
    through.run(config.etcdctl("member", "add", member.name, f"--peer-urls={member.peer}"), timeout=30)
    known = tuple(one for one in etcd.all if one.peer in there or one == member)
    _ready(etcd, member, remote, _authority(through), known, existing=True)
    _wait(etcd, through)


def _ready(
    etcd: Etcd, member: Member, remote: Remote, ca: tuple[str, str], known: Sequence[Member], *, existing: bool
) -> None:
    """Programs, certificates, configuration; the unit is started and not waited for: members wait for each other."""
    for path, source in payload(etcd.kubernetes).etcd.items():
        if remote.run(f"test -x {path}", timeout=20, check=False).code != 0:
            remote.upload(source, path, 0o755)
    certificate, key = ca
    remote.write(config.CA_CERT, certificate)
    remote.write(config.CA_KEY, key, 0o600)
    phases = "\n".join(f"{_kubeadm(etcd)} {name} --config {config.CERTS}" for name in CERTIFICATES)
    remote.run(f"set -e\numask 077\n{phases}\nmkdir -p {config.DATA}", timeout=120)
    remote.write(config.CONFIG, config.config(member, known, etcd.cluster, existing=existing))
    remote.write(config.UNIT, config.unit())
    remote.run(
        f"set -e\nsystemctl daemon-reload\nsystemctl enable --quiet {config.SERVICE}\n"
        f"systemctl restart --no-block {config.SERVICE}",
        timeout=30,
    )


def _wait(etcd: Etcd, through: Remote) -> None:
    endpoints = [member.client for member in etcd.all]

    def look() -> Answer[bool]:
        said = through.run(config.etcdctl("endpoint", "health", endpoints=endpoints), timeout=30, check=False)
        return Answer(True if said.code == 0 else None, said.stdout + said.stderr)

    hint = f"journalctl -u {config.SERVICE} on {', '.join(member.name for member in etcd.all)}"
    wait_for("all members of etcd are healthy", look, timeout=HEALTHY, every=1, hint=hint)


def _authority(remote: Remote) -> tuple[str, str]:
    certificate, key = remote.read(config.CA_CERT), remote.read(config.CA_KEY)
    if certificate is None or key is None:
        raise StacklabError("this member has no CA", where=remote.login.machine)
    return certificate, key


def _kubeadm(etcd: Etcd) -> str:
    return f"{folder(etcd.kubernetes)}/kubeadm init phase certs"


def each(members: Sequence[tuple[Member, Remote]], work: Callable[[Member, Remote], None]) -> None:
    """At once on all; the first error is raised when all have ended."""
    with ThreadPoolExecutor(max_workers=len(members)) as pool:
        running = [pool.submit(work, member, remote) for member, remote in members]
    errors = [e for e in (one.exception() for one in running) if e is not None]
    if errors:
        raise errors[0]


def healthy(etcd: Etcd) -> list[str]:
    """The names of members that do not answer."""
    found = []
    for member, remote in etcd.members:
        try:
            said = remote.run(config.etcdctl("endpoint", "health"), timeout=20, check=False)
        except CommandError:
            found.append(member.name)
            continue
        if said.code != 0:
            found.append(member.name)
    return found
