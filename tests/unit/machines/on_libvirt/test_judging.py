"""What is decided without a libvirt: does it fit, is KVM offered, what a console says, what our daemon is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from modules.base.errors import HostError
from modules.host import kvm
from modules.host.libvirt import place
from modules.machines.libvirt import acceleration, daemon, evidence, fit
from modules.machines.libvirt.fit import GIB, MIB, Room
from modules.topology.plan import LabPlan, Machine, Network


def machine(name: str, memory: int = 2 * GIB, disk: int = 20 * GIB) -> Machine:
    return Machine(name, "worker", "192.168.26.21", 2, memory, disk, {}, ())


NETWORK = Network(
    "stacklab-cka", "192.168.26.0/24", "192.168.26.1", "10.244.0.0/16", "10.96.0.0/12", ("", ""), "iptables", None
)
PLAN = LabPlan(
    stack="cka",
    cluster="stacklab-cka",
    backend="libvirt",
    kubernetes="1.36.3",
    machines=(machine("a"), machine("b"), machine("c")),
    network=NETWORK,
    addons={},
    apps=(),
    sources="auto",
    warnings=(),
)
NEEDED = 3 * (2 * GIB + fit.EACH) + fit.RESERVE


@pytest.mark.parametrize(
    ("room", "says"),
    [
        (Room(NEEDED, 100 * GIB, {}), []),
        (Room(NEEDED - 1, 100 * GIB, {}), ["3 machines need 6624MiB of memory"]),
        (Room(NEEDED, 14 * GIB, {}), ["3 machines need about 15GiB of disk"]),
        (Room(0, 0, {}), ["memory", "disk"]),
        (Room(None, None, {}), []),
        # Those that run have their memory and their disk already.
        (Room(GIB, GIB, {f"stacklab-cka.{name}": 2 * GIB for name in "abc"}), []),
        (Room(GIB, 5 * GIB, {f"stacklab-cka.{name}": 2 * GIB for name in "ab"}), ["1 machine needs 2208MiB"]),
        (Room(2 * GIB, GIB, {f"stacklab-cka.{name}": GIB for name in "abc"}), ["0 machines need 3GiB of memory"]),
    ],
)
def test_fit(room: Room, says: list[str]) -> None:
    found = fit.problems(PLAN, room)
    assert len(found) == len(says)
    for problem, words in zip(found, says, strict=True):
        assert words in problem


def test_all_that_is_missing_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "look", lambda _: Room(MIB, MIB, {}))
    with pytest.raises(HostError, match="2 things keep this lab") as caught:
        fit.require(PLAN)
    assert "memory" in caught.value.output
    assert "disk" in caught.value.output


@pytest.mark.parametrize(
    ("guests", "offered"),
    [
        ("<guest><arch name='x86_64'><domain type='qemu'/><domain type='kvm'/></arch></guest>", True),
        ("<guest><arch name='x86_64'><domain type='qemu'/></arch></guest>", False),
        ("<guest><arch name='aarch64'><domain type='kvm'/></arch></guest>", False),
        ("", False),
    ],
)
def test_kvm_counts_for_machines_of_the_hosts_own_kind(guests: str, *, offered: bool) -> None:
    host = "<host><cpu><arch>x86_64</arch></cpu></host>"
    assert acceleration.offers_kvm(f"<capabilities>{host}{guests}</capabilities>") is offered


def test_what_a_trial_said_is_kept_for_each_libvirt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(kvm, "DEVICE", tmp_path)
    assert kvm.remembered("qemu+ssh://far/system", "6.1") is None
    kvm.remember("6.1", booted=True, uri="qemu+ssh://far/system")
    kvm.remember("6.9", booted=False)
    assert kvm.remembered("qemu+ssh://far/system", "6.1") is True
    assert kvm.remembered("qemu+ssh://far/system", "6.2") is None
    assert (kvm.verdict("6.9"), kvm.verdict("6.1")) == ("hangs", "present-untested")


@pytest.mark.parametrize(
    ("line", "booted"),
    [
        ("[    0.812345] Run /init as init process", True),
        ("[    0.000000] Linux version 6.1.0", False),
        ("SeaBIOS (version 1.16.2)\nBooting from ROM...\nProbing EDD ... ok", False),
    ],
)
def test_only_a_kernel_that_starts_a_program_has_booted(line: str, *, booted: bool) -> None:
    assert bool(acceleration._SIGNS[True].search(line)) is booted


def test_a_console_is_told_without_its_control_characters() -> None:
    text = "\x1b[2J\x1b[0;32mone\x1b[0m\r\n\r\n\r\ntwo   \nthree"
    assert evidence.tail(text) == ["one", "two", "three"]
    assert evidence.tail(text, 2) == ["two", "three"]
    assert evidence.tail("\n") == []


def test_the_users_that_libvirt_asks_for_are_added_once() -> None:
    users = "root:x:0:0:root:/root:/bin/sh\n"
    added = daemon.with_users(users)
    assert added.startswith(users)
    assert added.count("libvirt-qemu:") == 1
    assert daemon.with_users(added) == added
    assert daemon.with_groups("kvm:x:7:\n").count("kvm:") == 1


@pytest.mark.parametrize("uri", ["qemu+ssh://far/system", "qemu:///session", "test:///default"])
def test_a_libvirt_that_is_named_is_never_replaced_by_ours(uri: str) -> None:
    assert daemon.resolve(uri, start=True) == uri


def test_a_lab_that_began_on_our_daemon_stays_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))
    ours = place.here()
    assert not ours.made
    (ours.folder / "etc").mkdir(parents=True)
    (ours.folder / "etc" / "qemu.conf").touch()
    assert daemon.resolve(place.SYSTEM, start=False) == ours.uri
    assert len(str(ours.socket)) < 60, "a socket's path has at most 107 characters"


def test_a_process_that_has_the_daemons_number_now_is_not_the_daemon(tmp_path: Path) -> None:
    found = replace(place.here(), run=tmp_path / "stacklab-test")
    found.run.mkdir()
    found.pid_file.write_text("1\n")
    assert found.pid() is None


def test_labs_are_noted_until_they_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))
    place.register("cka", "qemu:///system")
    place.register("far", "qemu+ssh://far/system")
    place.register("far", "qemu+ssh://far/system")
    assert dict(place.labs()) == {"cka": "qemu:///system", "far": "qemu+ssh://far/system"}
    place.unregister("far")
    place.unregister("far")
    assert dict(place.labs()) == {"cka": "qemu:///system"}
    assert place.used() == ("qemu:///system", "qemu+ssh://far/system"), "a receipt still looks there"
