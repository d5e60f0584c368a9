"""Two machines that the tests know: the one CI runs on (recorded), and a friendly laptop with docker (by hand)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from modules.host.facts import CAPABILITIES, HostFacts

DATA = Path(__file__).parent / "data"
GOLDEN = Path(__file__).parent / "golden"
GIB = 1024**3

CI = HostFacts(
    cores=2,
    memory=24 * GIB,
    free_memory=22 * GIB,
    free_disk=70 * GIB,
    capabilities=frozenset(CAPABILITIES) - {"sys_resource"},
    cgroup="v1",
    cgroup_controllers=("blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "memory", "pids"),
    nofile=20000,
    nproc=96365,
    pid_max=32768,
    kernel="6.18.44",
    modules_dir=False,
    systemd=False,
    kvm="present-untested",
    inotify_watches=192536,
    inotify_instances=128,
    features=frozenset({"bridge", "veth", "vxlan", "ip_set", "nf_tables", "br_netfilter", "overlay"}),
    overlay=True,
    root=True,
    sudo=True,
    machine="x86_64",
    distribution="debian",
)

LAPTOP = replace(
    CI,
    cores=8,
    memory=16 * GIB,
    free_memory=9 * GIB,
    capabilities=frozenset(CAPABILITIES),
    cgroup="v2",
    cgroup_controllers=("cpu", "cpuset", "hugetlb", "io", "memory", "pids"),
    nofile=1048576,
    nproc=-1,
    pid_max=4194304,
    kernel="6.8.0-60-generic",
    modules_dir=True,
    systemd=True,
    kvm="usable",
    inotify_watches=1048576,
    inotify_instances=512,
    features=CI.features | {"ip_vs", "ipip", "wireguard", "dummy", "ipvlan"},
    root=False,
    distribution="ubuntu",
)


def text(name: str) -> str:
    """A recorded file."""
    return (DATA / name).read_text()
