"""Kernel features and KVM: from what the kernel says, and what a real boot has shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from modules.host import kernel, kvm
from tests.unit.host.hosts import CI, text


def test_a_kernel_without_modules_has_what_is_built_in() -> None:
    found = kernel.features(config=text("ci-kernel-config.txt"), builtin="", loadable="", loaded="")
    assert found == CI.features


def test_a_distribution_kernel_has_what_it_can_load() -> None:
    found = kernel.features(
        config="CONFIG_VXLAN=m\nCONFIG_NET_IPIP=m\nCONFIG_WIREGUARD=y\n# CONFIG_DUMMY is not set\n",
        builtin=text("laptop/modules.builtin"),
        loadable=text("laptop/modules.dep"),
        loaded="ip_set 57344 0 - Live 0x0\n",
    )
    # ipip is configured as a module, but its file is not installed.
    assert found == {"bridge", "br_netfilter", "vxlan", "veth", "ip_vs", "nf_tables", "overlay", "wireguard", "ip_set"}


def test_in_a_container_the_modules_of_the_host_are_not_seen() -> None:
    """There the kernel loads what it is asked for, though /lib/modules is not there."""
    assert kernel.features(config="CONFIG_VXLAN=m\n", builtin="", loadable="", loaded="") == {"vxlan"}


def test_a_kernel_that_tells_nothing_is_trusted() -> None:
    assert kernel.features(config="", builtin="", loadable="", loaded="") == set(kernel.FEATURES)


@pytest.fixture
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKLAB_CACHE", str(tmp_path / "cache"))
    device = tmp_path / "kvm"
    device.touch()
    monkeypatch.setattr(kvm, "DEVICE", device)


@pytest.mark.usefixtures("_cache")
def test_kvm_is_believed_only_after_a_boot_under_this_kernel() -> None:
    assert kvm.verdict("6.1") == "present-untested"
    kvm.remember("6.1", booted=False)
    assert kvm.verdict("6.1") == "hangs"
    assert kvm.verdict("6.2") == "present-untested"
    kvm.remember("6.2", booted=True)
    assert kvm.verdict("6.2") == "usable"


@pytest.mark.usefixtures("_cache")
def test_without_a_device_there_is_no_kvm(monkeypatch: pytest.MonkeyPatch) -> None:
    kvm.remember("6.1", booted=True)
    monkeypatch.setattr(kvm, "DEVICE", Path("/dev/no-such-device"))
    assert kvm.verdict("6.1") == "absent"
