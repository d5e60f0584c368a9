"""What is wrong with machines that are to become a lab: facts in, problems out. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from modules.bootstrap.checks.ask import Answer
from modules.bootstrap.facts import Facts
from modules.topology.values import format_size

MIB = 1024**2
GIB = 1024**3
MEMORY = {"master": 1700 * MIB, "worker": 900 * MIB}  # kubeadm's own limit; what a kubelet and a few pods take
CPUS = {"master": 2, "worker": 1}
DISK = 6 * GIB
SKEW = 30.0  # seconds; certificates of the next minute are not valid yet
OLDEST = {"debian": 11, "ubuntu": 20, "rhel": 8, "centos": 8, "rocky": 8, "almalinux": 8, "ol": 8, "fedora": 38}
PORTS: Mapping[str, tuple[int, ...]] = {
    "master": (6443, 2379, 2380, 10250, 10256, 10257, 10259),
    "worker": (10250, 10256),
}
OURS = ("kube", "etcd", "containerd", "haproxy", "calico", "speaker")
FEATURES = ("overlay", "veth", "bridge", "br_netfilter")
FOREIGN = {"/var/lib/rancher": "k3s or RKE2", "/var/lib/k0s": "k0s", "/var/snap/microk8s": "MicroK8s"}


@dataclass(frozen=True)
class Target:
    """A machine of the stack file."""

    name: str
    role: Literal["master", "worker"]
    address: str


@dataclass(frozen=True)
class Wanted:
    """What the lab asks of its machines. arch: what our programs are compiled for; owner: the id of this checkout."""

    stack: str
    owner: str
    arch: str
    proxy: str = "iptables"
    vip: str = ""
    etcd: tuple[str, ...] = ()
    overlay_network: bool = True
    nodeports: tuple[int, ...] = ()


@dataclass(frozen=True)
class Problem:
    """One thing. note: it is said, and nothing is refused."""

    machine: str
    what: str
    next: str = ""
    note: bool = False


def judge(targets: Sequence[Target], answers: Mapping[str, Answer], wanted: Wanted) -> tuple[Problem, ...]:
    """Every problem of every machine, in the order of the stack file."""
    found: list[Problem] = []
    for target in targets:
        answer = answers[target.name]
        if answer.facts is None:
            way = f"{answer.hint}; try: {answer.command}" if answer.command else answer.hint
            found.append(Problem(target.name, answer.error, way))
            continue
        seen = answer.facts
        for part in (_system, _room, _cluster, _ports, _names, _kernel):
            found += part(target, seen, wanted, targets)
        found += _time(target, seen, answer.ahead)
    return (*found, *_together(targets, answers))


Found = Iterator[Problem]


def _system(target: Target, seen: Facts, wanted: Wanted, _: Sequence[Target]) -> Found:
    name = target.name
    if not seen.family:
        yield Problem(name, f"{seen.pretty} is not known here", "take Debian, Ubuntu, or a system of Red Hat's family")
    elif _number(seen.version) < OLDEST.get(seen.os, 0):
        yield Problem(name, f"{seen.pretty} is too old", f"{seen.os} {OLDEST[seen.os]} or newer")
    if not seen.systemd:
        yield Problem(name, "systemd does not run it", "the kubelet and containerd are systemd's services")
    if seen.arch != wanted.arch:
        yield Problem(
            name, f"it is a {seen.arch}, and the lab's programs are for {wanted.arch}", "take another machine"
        )
    for engine in seen.engines:
        yield Problem(
            name,
            f"{engine} of its own runs there, and would be in the way of the lab's containerd",
            f"take another machine, or remove it: systemctl disable --now {engine}",
        )
    if seen.swap and not seen.container:
        yield Problem(name, f"swap is on ({', '.join(seen.swap)}): it is off while the lab is there", note=True)
    if seen.selinux == "Enforcing":
        yield Problem(name, "SELinux is enforcing: it is permissive while the lab is there", note=True)


def _room(target: Target, seen: Facts, wanted: Wanted, _: Sequence[Target]) -> Found:
    name, role = target.name, target.role
    if seen.memory < MEMORY[role]:
        least = format_size(MEMORY[role])
        yield Problem(name, f"{_size(seen.memory)} of memory; a {role} needs {least}", f"give it {least} or more")
    if seen.cpus < CPUS[role]:
        yield Problem(name, f"{seen.cpus} CPU; a {role} needs {CPUS[role]}", f"give it {CPUS[role]} CPUs")
    if seen.disk < DISK and not _ours(seen, wanted):
        yield Problem(name, f"{_size(seen.disk)} free for /var/lib; {format_size(DISK)} are needed", "make room there")


def _cluster(target: Target, seen: Facts, wanted: Wanted, _: Sequence[Target]) -> Found:
    mark = _mark(seen)
    kubeadm = [sign for sign in seen.signs if sign not in FOREIGN]
    for sign in seen.signs:
        if sign in FOREIGN:
            yield Problem(
                target.name, f"a cluster of {FOREIGN[sign]} is there ({sign})", "remove it, or take another machine"
            )
    if mark and (mark.get("owner"), mark.get("stack")) != (wanted.owner, wanted.stack):
        yield Problem(
            target.name,
            f"it is a node of the lab {mark.get('stack')} of {_whose(mark, wanted)}",
            f"destroy that lab: pulumi destroy --stack {mark.get('stack')}",
        )
    elif not mark and kubeadm:
        yield Problem(
            target.name,
            f"it is a node of a cluster that this lab did not make ({kubeadm[0]})",
            "take another machine, or give the cluster up there: kubeadm reset",
        )
    elif not mark and seen.prepared not in ("", wanted.stack):
        yield Problem(
            target.name,
            f"the lab {seen.prepared} has prepared it for itself",
            f"destroy that lab: pulumi destroy --stack {seen.prepared}",
        )


def _ports(target: Target, seen: Facts, wanted: Wanted, targets: Sequence[Target]) -> Found:
    if _ours(seen, wanted) or seen.signs:  # a foreign cluster is said once, not port by port
        return
    needed = [*PORTS[target.role], *wanted.nodeports]
    if target.name in wanted.etcd and target.role == "worker":
        needed += [2379, 2380]
    if wanted.vip and target.role == "master":
        needed.append(8443)
    several = sum(1 for one in targets if one.role == "master") > 1
    if several and not wanted.vip and target.role == "worker":
        needed.append(6443)
    for port in sorted(set(needed)):
        if port in seen.ports and not seen.ports[port].startswith(OURS):
            who = seen.ports[port]
            yield Problem(target.name, f"port {port} is taken by {who}", f"stop it there: ss -ltnp 'sport = :{port}'")


def _names(target: Target, seen: Facts, wanted: Wanted, targets: Sequence[Target]) -> Found:
    others = {n: one for one in targets if one.name != target.name for n in (one.name, one.name.split(".")[0])}
    own = (target.name, target.name.split(".")[0])
    if seen.hostname in others and seen.hostname not in own:
        other = others[seen.hostname]
        yield Problem(
            target.name,
            f"the machine at {target.address} is called {seen.hostname}, which is another machine of the stack file",
            f"are the addresses of {target.name} and {other.name} the wrong way round?",
        )
    elif seen.hostname.split(".")[0] != own[1]:
        said = f"it is called {seen.hostname}: it is {target.name} while the lab is there"
        yield Problem(target.name, said, note=not _ours(seen, wanted))
    if seen.addresses and target.address not in seen.addresses:
        yield Problem(
            target.name,
            f"it is reached at {target.address}, but has only {', '.join(seen.addresses)}",
            "name an address that the machine has itself: the others must reach it there",
        )
    if wanted.vip and wanted.vip in seen.addresses and not _ours(seen, wanted):
        yield Problem(target.name, f"it has the address {wanted.vip} of network.endpoint", "name a free address there")


def _kernel(target: Target, seen: Facts, wanted: Wanted, _: Sequence[Target]) -> Found:
    needed = dict.fromkeys(FEATURES, "containers")
    if wanted.overlay_network:
        needed["vxlan"] = "the pods' network"
    if wanted.proxy == "ipvs":
        needed |= {"ip_vs": "network.proxy: ipvs", "ip_set": "network.proxy: ipvs"}
    if wanted.proxy == "nftables":
        needed["nf_tables"] = "network.proxy: nftables"
    for feature, reason in needed.items():
        if feature not in seen.features and not (feature == "br_netfilter" and seen.bridged):
            change = "network.proxy: iptables" if reason.startswith("network.proxy") else "take another kernel"
            yield Problem(target.name, f"its kernel {seen.kernel} cannot do {feature}, for {reason}", change)


def _time(target: Target, seen: Facts, ahead: float) -> Found:
    if abs(ahead) > SKEW:
        side = "ahead of" if ahead > 0 else "behind"
        fix = "timedatectl set-ntp true"
        yield Problem(target.name, f"its clock is {abs(ahead):.0f} s {side} this host's", f"set it there: {fix}")
    elif seen.synchronised is False and not seen.container:
        yield Problem(target.name, "nothing keeps its clock right", "timedatectl set-ntp true", note=True)


def _together(targets: Sequence[Target], answers: Mapping[str, Answer]) -> Found:
    first: dict[str, tuple[Target, Facts]] = {}
    for target in targets:
        seen = answers[target.name].facts
        if seen is None or not seen.id:
            continue
        if seen.id not in first:
            first[seen.id] = (target, seen)
            continue
        other, its = first[seen.id]
        if its.boot == seen.boot:
            yield Problem(
                target.name,
                f"{other.name} and {target.name} are the same machine ({other.address}, {target.address})",
                "name another machine",
            )
        else:
            yield Problem(
                target.name,
                f"it has the machine-id of {other.name}: it is a copy of it",
                "give it one of its own: rm /etc/machine-id; systemd-machine-id-setup; reboot",
            )


def _ours(seen: Facts, wanted: Wanted) -> bool:
    mark = _mark(seen)
    if mark:
        return (mark.get("owner"), mark.get("stack")) == (wanted.owner, wanted.stack)
    return seen.prepared == wanted.stack


def _mark(seen: Facts) -> Mapping[str, str]:
    try:
        found = json.loads(seen.mark)
    except ValueError:
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _whose(mark: Mapping[str, str], wanted: Wanted) -> str:
    return "this checkout" if mark.get("owner") == wanted.owner else "another checkout"


def _size(size: int) -> str:
    return f"{size / GIB:.1f} GiB" if size >= GIB else f"{size // MIB} MiB"


def _number(version: str) -> int:
    """The major one; systems without a version (testing) are new."""
    head = version.split(".")[0]
    return int(head) if head.isdecimal() else 10**6
