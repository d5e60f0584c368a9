"""What a machine is like, as far as a lab could change it: taken before the first change, compared after the reset.

Kept on the machine (before.json, beside the notes of the steps) and on this host, where it outlives the reset.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from modules.artifacts.machine import texts
from modules.base import paths
from modules.bootstrap.steps import journal, kernel
from modules.host import firewall
from modules.machines.remote import Remote

BEFORE = f"{journal.FOLDER}/before.json"
TIMEOUT = 120.0

Fingerprint = Mapping[str, Mapping[str, str]]  # kind -> name -> value

# Files that change by themselves.
_NOISE = (
    "/etc/machine-id", "/etc/adjtime", "/etc/mtab", "/etc/.updated", "/etc/resolv.conf", "/etc/ld.so.cache",
    "/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/subuid-", "/etc/subgid-", "/etc/.pwd.lock",
    "/etc/lvm/devices", "/etc/cni",
)  # fmt: skip
# Services that start when somebody asks them something, or by the clock.
_COMING_AND_GOING = (
    "apt-", "dpkg-", "e2scrub", "fstrim", "fwupd", "getty@", "logrotate", "man-db", "motd-news", "packagekit", "polkit",
    "session-", "systemd-hostnamed", "systemd-localed", "systemd-timedated", "systemd-tmpfiles", "systemd-udev",
    "user-runtime-dir@", "user@", "systemd-fsck", "unattended-upgrades", "run-", "systemd-coredump", "dnf-makecache",
    "cloud-", "systemd-networkd-wait-online",
)  # fmt: skip
_FOLDERS = (
    "/opt",
    "/opt/cni",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/local/lib",
    "/usr/libexec",
    "/var/lib",
    "/root",
)
_SYSCTLS = (*texts.SYSCTLS, *texts.SYSCTLS_AT_LEAST, *kernel.WATCHED, *kernel.WATCHED_OF_HOST)
_OURS = "containerd|kubelet|kube-|etcd|calico|felix|flanneld|haproxy|keepalived"

_PRUNE = " -o ".join(f"-path {path}" for path in _NOISE)

# Rules come first: asking for them may load modules, which must then be in both lists.
SCRIPT = f"""\
for program in iptables ip6tables; do
    if command -v $program-save >/dev/null; then $program-save 2>/dev/null | sed "s/^/rule $program /"; fi
done
if command -v nft >/dev/null; then nft list ruleset 2>/dev/null | sed 's/^/nft /'; fi
if command -v ipset >/dev/null; then ipset list -n 2>/dev/null | sed 's/^/item ipset /'; fi
awk 'NR>3 {{print "item ipvs " $0}}' /proc/net/ip_vs 2>/dev/null
find /etc \\( {_PRUNE} \\) -prune -o -type f -exec sha256sum {{}} + 2>/dev/null | sed 's/^/file /'
find /etc \\( {_PRUNE} \\) -prune -o -type l -printf 'link %p -> %l\\n' 2>/dev/null
for folder in {" ".join(_FOLDERS)}; do
    [ ! -d $folder ] || find $folder -mindepth 1 -maxdepth 1 -printf 'item entry %p\\n'
done
if [ -d /run/systemd/system ]; then
    systemctl list-unit-files --no-legend --no-pager --plain 2>/dev/null | awk '{{print "unit", $1, $2}}'
    systemctl list-units --type=service,socket --state=active --no-legend --no-pager --plain 2>/dev/null |
        awk '{{print "active", $1}}'
fi
for name in {" ".join(_SYSCTLS)}; do
    value=$(cat "/proc/sys/$(echo $name | tr . /)" 2>/dev/null) && echo "sysctl $name $value"
done
ip -o link show 2>/dev/null | awk -F': ' '{{sub("@.*", "", $2); print "item link " $2}}'
ip -4 route show table all type unicast 2>/dev/null | sed 's/ *$//; s/^/item route /'
awk '{{print "item mount " $2 " " $3}}' /proc/mounts
awk 'NR>1 {{print "item swap " $1}}' /proc/swaps 2>/dev/null
if [ ! -e /run/.containerenv ]; then awk '{{print "item module " $1}}' /proc/modules 2>/dev/null; fi
echo "item name $(cat /proc/sys/kernel/hostname)"
if command -v getenforce >/dev/null; then echo "item selinux $(getenforce)"; fi
for folder in /proc/[0-9]*; do
    grep -qsE '^({_OURS})' $folder/comm && echo "item process $(cat $folder/comm 2>/dev/null)"
done
if command -v dpkg-query >/dev/null; then
    dpkg-query -W -f '${{db:Status-Abbrev}} ${{Package}}\\n' | sed -n 's/^ii */item package /p'
elif command -v rpm >/dev/null; then
    rpm -qa --qf 'item package %{{NAME}}\\n'
fi
true
"""


def parse(said: str) -> Fingerprint:
    """From the script's lines."""
    found: dict[str, dict[str, str]] = {}
    for kind, name, value in _items(said):
        found.setdefault(kind, {})[name] = value
    return found


def _items(said: str) -> Iterator[tuple[str, str, str]]:
    rules: dict[str, list[str]] = {"iptables": [], "ip6tables": []}
    nft: list[str] = []
    for line in said.splitlines():
        word, _, rest = line.partition(" ")
        if word == "rule":
            program, _, text = rest.partition(" ")
            rules[program].append(text)
        elif word == "nft":
            nft.append(rest)
        elif word == "file":
            digest, _, path = rest.partition("  ")
            yield "file", path, digest
        elif word == "link":
            path, _, target = rest.partition(" -> ")
            yield "file", path, f"-> {target}"
        elif word in ("unit", "sysctl"):
            name, _, value = rest.partition(" ")
            yield word, name, value
        elif word == "active" and not rest.startswith(_COMING_AND_GOING):
            yield "running service", rest, ""
        elif word == "item":
            kind, _, name = rest.partition(" ")
            if not _comes_and_goes(kind, name):
                yield kind, name, ""
    for program, lines in rules.items():
        for rule in firewall.parse_iptables("\n".join(lines), program):
            if not rule.text.endswith(" ACCEPT") or " -P " not in rule.text:  # a table without rules is like none
                yield "firewall rule", rule.text, ""
    for rule in firewall.parse_nft("\n".join(nft)):
        yield "firewall rule", rule.text, ""


def _comes_and_goes(kind: str, name: str) -> bool:
    if kind == "mount":
        return name.startswith(("/run/user/", "/run/credentials/", "/proc/sys/fs/binfmt_misc")) or " autofs" in name
    if kind == "entry":
        return name in (journal.FOLDER, "/root/.ssh", "/root/.cache", "/root/.bash_history")
    return False


def differences(before: Fingerprint, now: Fingerprint) -> list[str]:
    """What is new, gone or changed, a line for each. Pure."""
    found = []
    for kind in sorted({*before, *now}):
        was, is_ = before.get(kind, {}), now.get(kind, {})
        found += [f"{kind} {name} is new" for name in sorted(is_.keys() - was.keys())]
        found += [f"{kind} {name} is gone" for name in sorted(was.keys() - is_.keys())]
        changed = sorted(name for name in was.keys() & is_.keys() if was[name] != is_[name])
        found += [f"{kind} {name} is another one" + _values(kind, was[name], is_[name]) for name in changed]
    return found


def _values(kind: str, was: str, now: str) -> str:
    return "" if kind == "file" else f": {was} -> {now}"


def take(remote: Remote) -> Fingerprint:
    """Look at a machine; changes nothing."""
    return parse(remote.run(SCRIPT, timeout=TIMEOUT).stdout)


def save(remote: Remote, stack: str) -> None:
    """Before the first change; one that is there already is the one from before the first change."""
    kept = remote.read(BEFORE)
    if kept is None:
        prepared = remote.run(f"[ ! -e {journal.FOLDER}/stack ]", timeout=30, check=False).code != 0
        if prepared:
            return
        kept = json.dumps(take(remote), indent=1, sort_keys=True) + "\n"
        remote.write(BEFORE, kept, 0o600)
    place = file(stack, remote.login.machine)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(kept)


def compare(remote: Remote, stack: str) -> list[str]:
    """How the machine differs from what it was before the lab; without a fingerprint nothing can be told."""
    place = file(stack, remote.login.machine)
    if not place.exists():
        return ["there is no fingerprint from before the lab"]
    return differences(json.loads(place.read_text()), take(remote))


def forget(stack: str, machine: str) -> None:
    """The machine has been given back."""
    place = file(stack, machine)
    place.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        place.parent.rmdir()


def file(stack: str, machine: str) -> Path:
    # Not in the lab's folder: that is gone after `destroy`, and must be.
    return paths.work() / "fingerprints" / stack / f"{machine}.json"
