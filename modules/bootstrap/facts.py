"""What a machine is: one probe script that changes nothing, and what its lines mean (pure).

Both the checks of a machine that exists and the texts that it gets (modules.artifacts.machine) start from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from modules.artifacts.machine.texts import Limits
from modules.bootstrap.step import Step
from modules.host import kernel

FAMILIES: Mapping[str, str] = {
    "debian": "debian",
    "ubuntu": "debian",
    "rhel": "redhat",
    "fedora": "redhat",
    "centos": "redhat",
    "rocky": "redhat",
    "almalinux": "redhat",
    "ol": "redhat",
    "openEuler": "redhat",
}

_MODULES = "|".join(sorted(module for _, module in kernel.FEATURES.values()))
_OPTIONS = "|".join(sorted(option for option, _ in kernel.FEATURES.values()))

PROBE = rf"""
say() {{ printf '%s=%s\n' "$1" "$2"; }}
if [ -r /etc/os-release ]; then . /etc/os-release; fi
say os "${{ID:-}}"; say like "${{ID_LIKE:-}}"; say version "${{VERSION_ID:-}}"; say pretty "${{PRETTY_NAME:-}}"
say arch "$(uname -m)"; say kernel "$(uname -r)"; say time "$(date +%s.%N)"
say hostname "$(cat /proc/sys/kernel/hostname)"; say id "$(cat /etc/machine-id 2>/dev/null)"
say boot "$(cat /proc/sys/kernel/random/boot_id)"
[ ! -d /proc/sys/net/bridge ] || say bridged yes
say cgroup "$(stat -fc %T /sys/fs/cgroup 2>/dev/null)"
if (echo -1 >/proc/self/oom_score_adj) 2>/dev/null; then say oom yes; else say oom no; fi
say virt "$(systemd-detect-virt --vm 2>/dev/null)"
say memory "$(awk '/^MemTotal:/ {{print $2}}' /proc/meminfo)"; say cpus "$(nproc)"
say disk "$(df -Pk /var/lib | awk 'NR==2 {{print $4}}')"
if [ -e /run/.containerenv ] || [ -e /.dockerenv ] ||
    tr '\0' '\n' </proc/1/environ 2>/dev/null | grep -q '^container='; then
    say container yes
else
    say container no
fi
if [ -d /run/systemd/system ]; then say systemd yes; else say systemd no; fi
awk 'NR>1 {{print "swap=" $1}}' /proc/swaps 2>/dev/null
say selinux "$(getenforce 2>/dev/null)"
if command -v timedatectl >/dev/null; then say ntp "$(timedatectl show -p NTPSynchronized --value 2>/dev/null)"; fi
ip -o -4 addr show 2>/dev/null | awk '{{sub("/.*", "", $4); print "address=" $4}}'
if command -v ss >/dev/null; then ss -Hltnp 2>/dev/null | awk '{{print "listen=" $4 " " $6}}'
else awk 'FNR>1 && $4 == "0A" {{print "hex=" $2}}' /proc/net/tcp /proc/net/tcp6 2>/dev/null; fi
modules=/lib/modules/$(uname -r)
cat "$modules/modules.builtin" "$modules/modules.dep" 2>/dev/null | sed 's/:.*//' |
    grep -E '/({_MODULES})\.ko' | sed 's/^/module=/'
awk '{{print "loaded=" $1}}' /proc/modules 2>/dev/null | grep -E '=({_MODULES})$'
{{ zcat /proc/config.gz 2>/dev/null || cat "/boot/config-$(uname -r)" 2>/dev/null; }} |
    grep -E '^CONFIG_({_OPTIONS})=' | sed 's/^/config=/'
say mark "$(tr -d '\n' </etc/stacklab/cluster.json 2>/dev/null)"
say prepared "$(cat /var/lib/stacklab/stack 2>/dev/null)"
for sign in /etc/kubernetes/kubelet.conf /etc/kubernetes/admin.conf /etc/kubernetes/manifests/kube-apiserver.yaml \
    /var/lib/rancher /var/lib/k0s /var/snap/microk8s; do [ ! -e "$sign" ] || say sign "$sign"; done
for unit in docker crio containerd; do
    systemctl is-active --quiet "$unit" 2>/dev/null || continue
    case $(systemctl cat "$unit" 2>/dev/null) in *'Written by stacklab'*) ;; *) say engine "$unit" ;; esac
done
"""


@dataclass(frozen=True)
class Facts:
    """One look at a machine. memory and disk in bytes; ports: what listens there, by port."""

    os: str
    like: tuple[str, ...]
    version: str
    pretty: str
    arch: str
    kernel: str
    time: float
    hostname: str
    id: str
    boot: str
    bridged: bool
    cgroup_v1: bool
    oom_adjust: bool
    memory: int
    cpus: int
    disk: int
    container: bool
    emulated: bool
    systemd: bool
    swap: tuple[str, ...]
    selinux: str
    synchronised: bool | None
    addresses: tuple[str, ...]
    ports: Mapping[int, str] = field(hash=False)
    features: frozenset[str]
    mark: str
    prepared: str
    signs: tuple[str, ...]
    engines: tuple[str, ...]

    @property
    def family(self) -> str:
        """debian, redhat, or "" for what is neither."""
        return next((FAMILIES[word] for word in (self.os, *self.like) if word in FAMILIES), "")

    @property
    def limits(self) -> Limits:
        return Limits(cgroup_v1=self.cgroup_v1, no_oom_adjust=not self.oom_adjust, emulated=self.emulated)


def parse(said: str) -> Facts:
    """From the probe's lines."""
    lines = [line.partition("=")[::2] for line in said.splitlines() if "=" in line]

    def one(key: str) -> str:
        return next((value.strip() for name, value in lines if name == key), "")

    def every(key: str) -> tuple[str, ...]:
        return tuple(value.strip() for name, value in lines if name == key)

    return Facts(
        os=one("os"),
        like=tuple(one("like").split()),
        version=one("version"),
        pretty=one("pretty") or one("os") or "an unknown system",
        arch=one("arch"),
        kernel=one("kernel"),
        time=float(one("time") or 0),
        hostname=one("hostname"),
        id=one("id"),
        boot=one("boot"),
        bridged=one("bridged") == "yes",
        cgroup_v1=one("cgroup") != "cgroup2fs",
        oom_adjust=one("oom") != "no",
        memory=int(one("memory") or 0) * 1024,
        cpus=int(one("cpus") or 0),
        disk=int(one("disk") or 0) * 1024,
        container=one("container") == "yes",
        emulated=one("virt") == "qemu",
        systemd=one("systemd") == "yes",
        swap=every("swap"),
        selinux=one("selinux"),
        synchronised={"yes": True, "no": False}.get(one("ntp")),
        addresses=every("address"),
        ports=dict(_ports(every("listen"), every("hex"))),
        features=kernel.features(
            config="\n".join(every("config")),
            builtin="\n".join(every("module")),
            loadable="",
            loaded="\n".join(every("loaded")),
        ),
        mark=one("mark"),
        prepared=one("prepared"),
        signs=every("sign"),
        engines=every("engine"),
    )


STEP = Step("facts", PROBE, lambda _: ())  # so that one look brings the facts along


def _ports(listen: Sequence[str], hexed: Sequence[str]) -> Iterator[tuple[int, str]]:
    for line in listen:
        where, _, who = line.partition(" ")
        port = where.rpartition(":")[2]
        name = re.search(r'"([^"]+)"', who)
        if port.isdecimal() and not where.startswith(("127.", "[::1]")):
            yield int(port), name[1] if name else "something"
    for where in hexed:
        address, _, port = where.rpartition(":")
        if address != "0100007F":
            yield int(port, 16), "something"
