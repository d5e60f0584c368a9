"""Facts: recorded readings in, typed values out; and what kind's nodes must know of each machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from modules.host import facts
from modules.host.facts import NodeHost
from tests.unit.host.hosts import CI, LAPTOP, text


def test_capabilities_of_the_ci_machine_lack_one() -> None:
    """The bounding set counts: a user's own set is empty on every laptop."""
    assert set(facts.CAPABILITIES) - facts.parse_capabilities(text("ci-status.txt")) == {"sys_resource"}
    assert facts.parse_capabilities(text("laptop/status.txt")) == set(facts.CAPABILITIES)
    assert facts.parse_capabilities("") == frozenset()


def test_meminfo_is_in_bytes() -> None:
    found = facts.parse_meminfo(text("ci-meminfo.txt"))
    assert found["MemTotal"] % 1024 == 0
    assert 20 * 1024**3 < found["MemAvailable"] < found["MemTotal"] < 25 * 1024**3
    assert found["HugePages_Total"] == 0


def test_a_hybrid_host_counts_as_cgroup_v1() -> None:
    expected = ("blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "memory", "pids")
    assert facts.parse_cgroup(text("ci-mounts.txt"), "") == ("v1", expected)


def test_a_unified_host_is_cgroup_v2() -> None:
    found = facts.parse_cgroup(text("laptop/mounts.txt"), "cpuset cpu io memory hugetlb pids rdma misc\n")
    assert found == ("v2", ("cpu", "cpuset", "hugetlb", "io", "memory", "misc", "pids", "rdma"))


def test_controllers_mounted_together_are_told_apart() -> None:
    mounts = "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw 0 0\ncgroup /sys/fs/cgroup/systemd cgroup rw 0 0\n"
    assert facts.parse_cgroup(mounts, "") == ("v1", ("cpu", "cpuacct"))


def test_os_release() -> None:
    found = facts.parse_os_release(text("laptop/os-release.txt"))
    assert found["ID"] == "ubuntu"
    assert found["PRETTY_NAME"] == "Ubuntu 24.04.2 LTS"


@pytest.mark.parametrize(
    ("host", "engine", "expected"),
    [
        (CI, "podman", NodeHost(True, True, Path("/cache/host/modules"), "podman")),
        (LAPTOP, "docker", NodeHost(False, False, None, "docker")),
    ],
)
def test_node_host(host: facts.HostFacts, engine: str, expected: NodeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKLAB_CACHE", "/cache")
    assert facts.node_host(host, engine) == expected


def test_reading_this_machine_needs_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Free space is asked of the nearest folder that exists; nothing is made by reading."""
    monkeypatch.setenv("STACKLAB_CACHE", str(tmp_path / "not" / "there"))
    found = facts.read()
    assert found.cores == len(os.sched_getaffinity(0))
    assert 0 < found.free_memory <= found.memory
    assert found.free_disk > 0
    assert found.cgroup_controllers
    assert list(tmp_path.iterdir()) == []
