"""Facts about this machine: each is a raw reading and a pure `parse_*`, put together by `read()`.

Used by engine (which configuration podman needs), by the kind backend through `node_host`, and by doctor.
"""

from __future__ import annotations

import gzip
import os
import platform
import resource
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from modules.base import paths
from modules.host import kernel, kvm

CgroupVersion = Literal["v1", "v2"]

# Bit numbers of linux/capability.h, in order.
_NAMES = (
    "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service "
    "net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin "
    "sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override "
    "mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore"
)
CAPABILITIES = tuple(_NAMES.split())


@dataclass(frozen=True)
class HostFacts:
    """One reading of this machine. Sizes in bytes; limits are the hard ones, -1 = unlimited."""

    cores: int
    memory: int
    free_memory: int
    free_disk: int  # where the artifact cache and the engine's images usually are
    capabilities: frozenset[str]  # the bounding set: what anything below us can have at most
    cgroup: CgroupVersion
    cgroup_controllers: tuple[str, ...]
    nofile: int
    nproc: int
    pid_max: int
    kernel: str
    modules_dir: bool
    systemd: bool
    kvm: str  # absent | present-untested | usable | hangs
    inotify_watches: int
    inotify_instances: int
    features: frozenset[str]  # what the kernel can do of kernel.FEATURES
    overlay: bool
    root: bool
    sudo: bool  # sudo is installed; whether it asks for a password is not tried
    machine: str
    distribution: str  # ID of os-release: debian, ubuntu, fedora, ...

    @property
    def restricted(self) -> bool:
        """Root here may not raise limits or lower oom scores: nested containers, CI machines, cloud shells."""
        return "sys_resource" not in self.capabilities


@dataclass(frozen=True)
class NodeHost:
    """What kind's configuration must know of the host."""

    cgroup_v1: bool
    restrict_oom: bool
    modules_dir: Path | None  # a folder to stand in for /lib/modules/<kernel>; None when the real one is there
    engine: str


def node_host(facts: HostFacts, engine: str) -> NodeHost:
    """From facts to what the nodes need; `engine` is "docker" or "podman". Pure: the folder is not made here."""
    return NodeHost(
        cgroup_v1=facts.cgroup == "v1",
        restrict_oom=facts.restricted,
        modules_dir=None if facts.modules_dir else paths.cache() / "host" / "modules",
        engine=engine,
    )


def read() -> HostFacts:
    """Read all facts; a few milliseconds, no program is started but the kernel's, where nothing else tells."""
    kernel_release = platform.release()
    mounts = _text("/proc/mounts")
    memory = parse_meminfo(_text("/proc/meminfo"))
    version, controllers = parse_cgroup(mounts, _text("/sys/fs/cgroup/cgroup.controllers"))
    modules = Path("/lib/modules") / kernel_release
    return HostFacts(
        cores=len(os.sched_getaffinity(0)),
        memory=memory.get("MemTotal", 0),
        free_memory=memory.get("MemAvailable", 0),
        free_disk=shutil.disk_usage(_existing(paths.cache())).free,
        capabilities=parse_capabilities(_text("/proc/self/status")),
        cgroup=version,
        cgroup_controllers=controllers,
        nofile=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        nproc=resource.getrlimit(resource.RLIMIT_NPROC)[1],
        pid_max=_number("/proc/sys/kernel/pid_max"),
        kernel=kernel_release,
        modules_dir=modules.is_dir(),
        systemd=Path("/run/systemd/system").is_dir(),
        kvm=kvm.verdict(kernel_release),
        inotify_watches=_number("/proc/sys/fs/inotify/max_user_watches"),
        inotify_instances=_number("/proc/sys/fs/inotify/max_user_instances"),
        features=kernel.features(
            config=_kernel_config(kernel_release),
            builtin=_text(modules / "modules.builtin"),
            loadable=_text(modules / "modules.dep"),
            loaded=_text("/proc/modules"),
        ),
        overlay="\toverlay" in _text("/proc/filesystems"),
        root=os.geteuid() == 0,
        sudo=shutil.which("sudo") is not None,
        machine=platform.machine(),
        distribution=parse_os_release(_text("/etc/os-release")).get("ID", "unknown"),
    )


def parse_capabilities(status: str) -> frozenset[str]:
    """The bounding set in /proc/self/status."""
    for line in status.splitlines():
        if line.startswith("CapBnd:"):
            bits = int(line.split()[1], 16)
            return frozenset(name for number, name in enumerate(CAPABILITIES) if bits >> number & 1)
    return frozenset()


def parse_meminfo(text: str) -> Mapping[str, int]:
    """/proc/meminfo in bytes."""
    rows = (line.replace(":", " ").split() for line in text.splitlines())
    return {row[0]: int(row[1]) * (1024 if row[2:] == ["kB"] else 1) for row in rows if len(row) >= 2}


def parse_cgroup(mounts: str, unified_controllers: str) -> tuple[CgroupVersion, tuple[str, ...]]:
    """Version and usable controllers. Hybrid counts as v1: that is what kubelet and the runtimes see there."""
    rows = [line.split() for line in mounts.splitlines()]
    if any(row[1] == "/sys/fs/cgroup" and row[2] == "cgroup2" for row in rows):
        return "v2", tuple(sorted(unified_controllers.split()))
    return "v1", tuple(sorted(_v1_controllers(row[1] for row in rows if row[2] == "cgroup")))


def _v1_controllers(mount_points: Iterable[str]) -> Iterable[str]:
    for point in mount_points:
        if point.startswith("/sys/fs/cgroup/"):
            yield from (name for name in Path(point).name.split(",") if name != "systemd")


def parse_os_release(text: str) -> Mapping[str, str]:
    """/etc/os-release as a mapping."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key: value.strip("\"'") for key, value in pairs}


def _text(path: str | Path) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


def _number(path: str) -> int:
    text = _text(path).strip()
    return int(text) if text.isdecimal() else 0


def _kernel_config(release: str) -> str:
    try:
        return gzip.decompress(Path("/proc/config.gz").read_bytes()).decode()
    except (OSError, gzip.BadGzipFile):
        return _text(f"/boot/config-{release}")


def _existing(folder: Path) -> Path:
    return next(p for p in (folder, *folder.parents) if p.exists())
