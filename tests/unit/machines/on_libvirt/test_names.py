"""Names and addresses: short enough, unique, and always the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.host.libvirt.look import lab_of_volume
from modules.machines.libvirt import names

OWNER = "0123456789abcdef"
STACKS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.", min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("cluster", "readable"),
    [
        ("stacklab-cka", "sl-cka"),
        ("stacklab-twelve-chars", "sl-twelve-chars"),
        ("stacklab-thirteen-char", ""),
        ("stacklab-Upper", ""),
    ],
)
def test_bridge(cluster: str, readable: str) -> None:
    found = names.bridge(cluster)
    assert len(found) <= 15
    assert (found == f"sl-{cluster.removeprefix('stacklab-')}") == bool(readable)


@given(STACKS, STACKS)
def test_two_labs_never_share_a_bridge(one: str, other: str) -> None:
    first, second = names.bridge(f"stacklab-{one}"), names.bridge(f"stacklab-{other}")
    assert len(first) <= 15
    assert (first == second) == (one == other)


@given(st.ip_addresses(v=4), st.ip_addresses(v=4))
def test_a_mac_for_each_address(one: object, other: object) -> None:
    first, second = names.mac(str(one)), names.mac(str(other))
    assert (first == second) == (one == other)
    assert int(first[:2], 16) & 3 == 2, "locally administered, not a group"


def test_mac() -> None:
    assert names.mac("192.168.26.21") == "52:54:c0:a8:1a:15"


def test_volumes_say_whose_they_are() -> None:
    own = names.volume("stacklab-a-b", OWNER, "vms21.rhce.cc", "disk")
    assert own == f"stacklab-a-b.{OWNER}.vms21.rhce.cc.disk"
    assert lab_of_volume(own, OWNER) == "a-b"
    assert lab_of_volume(own, "f" * 16) == f"a-b of {OWNER}"
    base = names.shared("debian-12-abc", "base")
    assert names.is_shared(base)
    assert lab_of_volume(base, OWNER) == ""
    use = names.use(base, "stacklab-dev", OWNER)
    assert use.startswith(names.uses(base))
    assert lab_of_volume(use, OWNER) == "dev"
    assert not names.is_shared(use)
    assert not names.is_shared(names.whole(base))
    assert names.shared("another", "base") != base
