"""Packages of the distribution: only those that are missing, and what came with them is noted for the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modules.bootstrap.step import Action, Run, Step
from modules.bootstrap.steps.journal import FOLDER
from modules.bootstrap.steps.probing import FAMILY
from modules.bootstrap.steps.wish import Wish

ADDED = f"{FOLDER}/packages"
BEFORE = f"{FOLDER}/packages.before"

# What kubeadm, the kubelet and kube-proxy call -> the package that has it.
NEEDED: Mapping[str, Mapping[str, str]] = {
    "debian": {
        "runc": "runc",
        "iptables": "iptables",
        "ip": "iproute2",
        "tc": "iproute2",
        "ethtool": "ethtool",
        "socat": "socat",
        "mount": "mount",
        "nsenter": "util-linux",
        "modprobe": "kmod",
        "conntrack": "conntrack",
    },
    "redhat": {
        "runc": "runc",
        "iptables": "iptables-nft",
        "ip": "iproute",
        "tc": "iproute-tc",
        "ethtool": "ethtool",
        "socat": "socat",
        "mount": "util-linux",
        "nsenter": "util-linux-core",
        "modprobe": "kmod",
        "conntrack": "conntrack-tools",
    },
}
# Nothing on a prepared machine calls these; a machine image may leave them out.
OPTIONAL = frozenset({"iptables", "conntrack", "modprobe"})

_LIST = {
    "debian": "dpkg-query -W -f '${db:Status-Abbrev} ${Package}\\n' | sed -n 's/^ii *//p' | sort -u",
    "redhat": "rpm -qa --qf '%{NAME}\\n' | sort -u",
}
_INSTALL = {
    "debian": (
        "export DEBIAN_FRONTEND=noninteractive\n"
        "apt-get -qq -o DPkg::Lock::Timeout=300 update\n"
        "apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --no-install-recommends {names}\n"
    ),
    "redhat": "dnf -q -y --setopt=install_weak_deps=False install {names}\n",
}

UNDO = f"""\
if [ -f {BEFORE} ]; then
    if command -v apt-get >/dev/null; then {_LIST["debian"]}; else {_LIST["redhat"]}; fi >{BEFORE}.now
    comm -13 {BEFORE} {BEFORE}.now >>{ADDED}
    rm -f {BEFORE} {BEFORE}.now
fi
if [ -s {ADDED} ]; then
    if command -v apt-get >/dev/null; then
        DEBIAN_FRONTEND=noninteractive xargs apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 purge <{ADDED}
    else
        xargs dnf -q -y --setopt=clean_requirements_on_remove=0 remove <{ADDED}
    fi
fi
rm -f {ADDED}
"""

# Programs that only some machines need; services that the distribution starts with them are not wanted.
SERVICES = ("haproxy", "keepalived")


def step(wish: Wish) -> Step:
    extra = balancing(wish)
    programs = sorted({*(name for table in NEEDED.values() for name in table), *extra} - OPTIONAL)
    probe = f"{FAMILY}for name in {' '.join(programs)}; do command -v $name >/dev/null || echo absent $name; done\n"

    def difference(printed: str) -> Sequence[Action]:
        lines = printed.splitlines()
        if not lines or lines[0] not in NEEDED:
            return ()
        family = lines[0]
        absent = [line.split()[1] for line in lines if line.startswith("absent ")]
        names = sorted({NEEDED[family].get(program, program) for program in absent})
        if not names:
            return ()
        return (Run(f"missing: {', '.join(names)}", install(family, names), timeout=900),)

    return Step("packages", probe, difference, UNDO)


def balancing(wish: Wish) -> tuple[str, ...]:
    """What the address in front of several masters takes on this machine."""
    if wish.vip:
        return ("haproxy", "keepalived", "curl") if wish.role == "master" else ()
    return ("haproxy",) if wish.masters > 1 and wish.role == "worker" else ()


def install(family: str, names: Sequence[str]) -> str:
    """Install packages and note everything that is new; one that was interrupted is noted with the next."""
    services = " ".join(f"{name}.service" for name in names if name in SERVICES)
    return (
        f"mkdir -p {FOLDER}\n"
        + (f"systemctl mask --quiet {services}\n" if services else "")
        + f"[ -f {BEFORE} ] || {{ {_LIST[family]} >{BEFORE}.part; mv {BEFORE}.part {BEFORE}; }}\n"
        f"{_INSTALL[family].format(names=' '.join(names))}"
        f"{_LIST[family]} >{BEFORE}.now\n"
        f"comm -13 {BEFORE} {BEFORE}.now >>{ADDED}\n"
        f"rm -f {BEFORE} {BEFORE}.now\n"
        + (f"systemctl unmask --quiet {services}\nsystemctl disable --quiet {services}\n" if services else "")
    )
