"""What doctor looks at: one small pure function a check, from facts to a verdict with the command that mends it.

Ids are stable: docs/troubleshooting.md and programs that read `doctor --json` refer to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from modules.host.engine import Trial
from modules.host.facts import HostFacts
from modules.host.network import Conflict

Status = Literal["ok", "warn", "fail"]
BACKENDS = ("kind", "minikube", "libvirt", "ssh")
GIB = 1024**3
_LOCAL = ("kind", "minikube")


@dataclass(frozen=True)
class Seen:
    """Everything that the checks judge."""

    facts: HostFacts
    trials: tuple[Trial, ...]
    conflicts: tuple[Conflict, ...]  # of the ranges that labs take by default
    tools: frozenset[str]  # of TOOLS, those that are installed


@dataclass(frozen=True)
class Check:
    """One line of doctor. means: for each backend that it matters to, what; a fail there means it cannot run."""

    id: str
    status: Status
    found: str
    means: Mapping[str, str]
    mend: str = ""  # one command; empty where nothing needs to be done


TOOLS = (
    *("iptables", "ip", "runc", "mmdebstrap", "sudo"),
    *("virsh", "libvirtd", "virtqemud", "qemu-system-x86_64", "dnsmasq"),
)

LIBRARY = "python-libvirt"  # counts as a tool when it can be imported


def engine(seen: Seen) -> Check:
    works = next((t.engine for t in seen.trials if not t.reason), None)
    if works:
        how = f" with {', '.join(works.env)} of ours" if works.env else ""
        return Check("engine", "ok", f"{works.name} runs privileged containers{how}", {})
    found = "; ".join(f"{t.engine.name}: {t.reason}" for t in seen.trials) or "neither docker nor podman is installed"
    return Check("engine", "fail", found, _for(_LOCAL, "cannot run"), _mend_engine(seen))


def _mend_engine(seen: Seen) -> str:
    reasons = {t.engine.name: t.reason for t in seen.trials}
    podman = reasons.get("podman", "")
    if not seen.trials:
        return "setup/bootstrap"
    if "rootless" in podman and "docker" not in reasons:
        return "sudo --login   # podman works for root; then again from there"
    if podman and "iptables" not in seen.tools:
        return _install(seen.facts, "iptables")
    if "netavark" in podman or "aardvark" in podman:
        return _install(seen.facts, "netavark aardvark-dns")
    if "permission denied" in reasons.get("docker", "").lower() and not seen.facts.root:
        return 'sudo usermod --append --groups docker "$USER"   # then log in again'
    if "docker" in reasons and seen.facts.systemd:
        return _root(seen.facts, "systemctl start docker")
    return _install(seen.facts, "podman runc conmon iptables netavark aardvark-dns")


def capabilities(seen: Seen) -> Check:
    if not seen.facts.restricted:
        return Check("capabilities", "ok", "root here may raise limits", {})
    found = "CAP_SYS_RESOURCE is missing: limits cannot be raised, out-of-memory scores not lowered"
    handled = "handled: nodes keep the host's limits and their scores"
    return Check("capabilities", "warn", found, _for(_LOCAL, handled))


def limits(seen: Seen) -> Check:
    facts = seen.facts
    number = "unlimited" if facts.nofile < 0 else str(facts.nofile)
    found = f"{number} open files a process"
    if 0 <= facts.nofile < 4096:
        return Check("limits", "fail", found, _for(_LOCAL, "the API server needs more"), "ulimit -Hn 65536")
    if facts.restricted and 0 <= facts.nofile < 65536:
        return Check("limits", "warn", found, _for(_LOCAL, "enough for small labs"))
    return Check("limits", "ok", found, {})


def cgroup(seen: Seen) -> Check:
    facts = seen.facts
    needed = {"cpu", "cpuset", "memory", "pids"}
    lacking = sorted(needed - set(facts.cgroup_controllers))
    if lacking:
        found = f"cgroup {facts.cgroup} without {', '.join(lacking)}"
        return Check("cgroup", "fail", found, _for(_LOCAL, "kubelet does not start"), "cat /proc/cgroups")
    if facts.cgroup == "v1":
        return Check("cgroup", "warn", "cgroup v1", _for(_LOCAL, "handled: kubelet is told to accept it"))
    return Check("cgroup", "ok", "cgroup v2", {})


def modules_dir(seen: Seen) -> Check:
    if seen.facts.modules_dir:
        return Check("modules-dir", "ok", f"/lib/modules/{seen.facts.kernel}", {})
    found = f"no /lib/modules/{seen.facts.kernel}: nothing can be loaded later"
    return Check("modules-dir", "warn", found, {"kind": "handled: an empty folder stands in"})


def kernel(seen: Seen) -> Check:
    lacking = [name for name in ("bridge", "veth", "vxlan", "overlay") if name not in seen.facts.features]
    if lacking:
        mend = _root(seen.facts, f"modprobe --all {' '.join(lacking)}")
        return Check("kernel", "fail", f"the kernel lacks {', '.join(lacking)}", _for(_LOCAL, "cannot run"), mend)
    return Check("kernel", "ok", "bridge, veth, vxlan, overlay", {})


def proxy_modes(seen: Seen) -> Check:
    wanted = {"ipvs": "ip_vs", "nftables": "nf_tables"}
    lacking = [mode for mode, feature in wanted.items() if feature not in seen.facts.features]
    if not lacking:
        return Check("proxy-modes", "ok", "iptables, nftables, ipvs", {})
    words = f"network.proxy: {' or '.join(lacking)} is refused; iptables works"
    found = f"the kernel lacks {', '.join(wanted[mode] for mode in lacking)}"
    return Check("proxy-modes", "warn", found, _for(_LOCAL, words))


def network(seen: Seen) -> Check:
    if not seen.conflicts:
        return Check("network", "ok", "the ranges that labs take by default are free", {})
    found = "; ".join(str(conflict) for conflict in seen.conflicts)
    words = "labs there do not start; set network.machines in the stack file"
    return Check("network", "warn", found, _for(("kind", "minikube", "libvirt"), words), "ip route")


def memory(seen: Seen) -> Check:
    free = seen.facts.free_memory
    found = f"{free / GIB:.1f} GiB free of {seen.facts.memory / GIB:.1f}"
    if free < 2 * GIB:
        return Check("memory", "fail", found, _for(_LOCAL, "too little for one machine"), "ps aux --sort=-rss | head")
    if free < 4 * GIB:
        return Check("memory", "warn", found, _for(_LOCAL, "one or two machines"), "ps aux --sort=-rss | head")
    return Check("memory", "ok", found, {})


def disk(seen: Seen) -> Check:
    free = seen.facts.free_disk
    found = f"{free / GIB:.0f} GiB free"
    mend = "df -h"
    if free < 6 * GIB:
        return Check("disk", "fail", found, _for(_LOCAL, "artifacts and images take 6 GB"), mend)
    if free < 25 * GIB:
        return Check("disk", "warn", found, _for(_LOCAL, "building everything from source takes 25 GB"), mend)
    return Check("disk", "ok", found, {})


def inotify(seen: Seen) -> Check:
    watches, instances = seen.facts.inotify_watches, seen.facts.inotify_instances
    found = f"{instances} instances, {watches} watches a user"
    if instances >= 512 and watches >= 524288:
        return Check("inotify", "ok", found, {})
    mend = _root(seen.facts, "sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288")
    words = 'enough for the dev lab; with many machines pods say "too many open files"'
    return Check("inotify", "warn", found, _for(_LOCAL, words), mend)


def kvm(seen: Seen) -> Check:
    state = seen.facts.kvm
    if state == "usable":
        return Check("kvm", "ok", "a guest booted under /dev/kvm", {})
    found = {
        "absent": "no /dev/kvm",
        "present-untested": "/dev/kvm is there; no guest has booted under it yet",
        "hangs": "/dev/kvm is there, and a guest hangs under it",
    }[state]
    words = "the first `up` tries it" if state == "present-untested" else "VMs are emulated: slow, but they work"
    return Check("kvm", "warn", found, {"libvirt": words})


def systemd(seen: Seen) -> Check:
    if seen.facts.systemd:
        return Check("systemd", "ok", "systemd runs this host", {})
    return Check("systemd", "warn", "no systemd", {"libvirt": "handled: labs start libvirtd themselves"})


def image_tools(seen: Seen) -> Check:
    if "mmdebstrap" in seen.tools:
        return Check("image-tools", "ok", "mmdebstrap", {})
    words = "images cannot be put together here (`sources: packages`); upstream ones work"
    return Check("image-tools", "warn", "no mmdebstrap", _for(_LOCAL, words), _install(seen.facts, "mmdebstrap"))


def sudo(seen: Seen) -> Check:
    if "sudo" in seen.tools:
        return Check("sudo", "ok", "sudo", {})
    words = {"minikube": "its podman driver calls sudo even as root"}
    return Check("sudo", "warn", "no sudo", words, _install(seen.facts, "sudo"))


def libvirt(seen: Seen) -> Check:
    daemon = bool({"libvirtd", "virtqemud"} & seen.tools)
    lacking = [name for name, there in (("libvirtd", daemon), ("dnsmasq", "dnsmasq" in seen.tools)) if not there]
    if not lacking:
        if not seen.facts.systemd and not seen.facts.root:
            words = "only root can start libvirtd here; a remote one (qemu+ssh://) works"
            return Check("libvirt", "fail", "libvirtd, no systemd, not root", {"libvirt": words}, "sudo --login")
        how = "systemd starts it" if seen.facts.systemd else "labs start one of their own"
        return Check("libvirt", "ok", f"libvirtd and dnsmasq; {how}", {})
    packages = "libvirt-daemon-system dnsmasq-base" if seen.facts.systemd else "libvirt-daemon dnsmasq-base"
    found = f"{' and '.join(lacking)} not installed"
    words = "no machines on this host; a remote libvirt works"
    return Check("libvirt", "fail", found, {"libvirt": words}, _install(seen.facts, packages))


def qemu(seen: Seen) -> Check:
    if "qemu-system-x86_64" in seen.tools:
        return Check("qemu", "ok", "qemu-system-x86_64", {})
    words = "no machines on this host; a remote libvirt works"
    mend = _install(seen.facts, "qemu-system-x86 qemu-utils")
    return Check("qemu", "fail", "qemu is not installed", {"libvirt": words}, mend)


def libvirt_library(seen: Seen) -> Check:
    if LIBRARY in seen.tools:
        return Check("libvirt-python", "ok", "the Python library is in .venv", {})
    found = "the Python library is not in .venv: it is compiled against libvirt's headers"
    mend = f"{_install(seen.facts, 'libvirt-dev pkg-config gcc')} && rm -f .venv/.stacklab-stamp && setup/bootstrap"
    return Check("libvirt-python", "fail", found, {"libvirt": "cannot run, also with a remote libvirt"}, mend)


CHECKS: tuple[Callable[[Seen], Check], ...] = (
    engine,
    capabilities,
    limits,
    cgroup,
    kernel,
    modules_dir,
    proxy_modes,
    network,
    memory,
    disk,
    inotify,
    image_tools,
    sudo,
    systemd,
    kvm,
    libvirt,
    qemu,
    libvirt_library,
)


def _for(backends: tuple[str, ...], words: str) -> Mapping[str, str]:
    return dict.fromkeys(backends, words)


def _root(facts: HostFacts, command: str) -> str:
    return command if facts.root else f"sudo {command}"


def _install(facts: HostFacts, packages: str) -> str:
    """The command of this distribution; package names are Debian's, which the others mostly share."""
    tool = {
        "debian": "apt-get install --yes",
        "ubuntu": "apt-get install --yes",
        "fedora": "dnf install",
        "arch": "pacman -S",
        "opensuse-leap": "zypper install",
        "alpine": "apk add",
    }.get(facts.distribution, "apt-get install --yes")
    return _root(facts, f"{tool} {packages}")
