"""The resources of virtual machines on libvirt's test driver, which takes no uploads: those are only noted here.

What really runs is in tests/e2e/test_3_libvirt_machines.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from modules.base.errors import OwnershipError, StacklabError
from modules.host import network as ranges
from modules.host.libvirt import place
from modules.host.network import Route
from modules.machines.libvirt import domains, networks, volumes
from modules.machines.libvirt.xml import storage
from modules.resources import libvirt_acceleration, libvirt_disk, libvirt_domain, libvirt_network, libvirt_seed
from modules.resources import reachable as ssh
from modules.resources.libvirt_acceleration import LibvirtAccelerationProvider
from modules.resources.libvirt_disk import LibvirtDiskProvider
from modules.resources.libvirt_domain import LibvirtDomainProvider
from modules.resources.libvirt_host import LibvirtHostProvider
from modules.resources.libvirt_image import LibvirtImageProvider
from modules.resources.libvirt_network import LibvirtNetworkProvider
from modules.resources.libvirt_seed import LibvirtSeedProvider

URI = "test:///default"
GIB = 1024**3
COMMON: dict[str, Any] = {"stack": "cka", "cluster": "stacklab-cka", "uri": URI, "__provider": "pickled"}
HOST = COMMON
NETWORK: dict[str, Any] = {
    **{key: COMMON[key] for key in ("stack", "uri", "__provider")},
    "name": "stacklab-cka",
    "bridge": "sl-cka",
    "range": "192.168.26.0/24",
    "gateway": "192.168.26.1",
    "hosts": [{"name": "vm1.example.com", "address": "192.168.26.11", "mac": "52:54:c0:a8:1a:0b"}],
}
SECOND = {"name": "vm2.example.com", "address": "192.168.26.12", "mac": "52:54:c0:a8:1a:0c"}
MACHINE: dict[str, Any] = {**COMMON, "machine": "vm1.example.com", "address": "192.168.26.11"}
DOMAIN = "stacklab-cka.vm1.example.com"


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """libvirt's test driver, alive while this connection is."""
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path / "checkout"))
    monkeypatch.setattr(ranges, "routes", lambda: ())

    def write(_connection: Any, pool: Any, name: str, data: bytes) -> str:
        volumes.remove(pool, name)
        return str(pool.createXML(storage.volume(name, len(data)), 0).path())

    def upload(_connection: Any, pool: Any, name: str, source: Path) -> Any:
        return pool.createXML(storage.volume(name, source.stat().st_size), 0)

    def overlay(pool: Any, name: str, size: int, _base: str, _format: str) -> str:
        # The test driver takes a base only from a pool of its own making.
        volumes.remove(pool, name)
        return str(pool.createXML(storage.volume(name, size), 0).path())

    monkeypatch.setattr(volumes, "write", write)
    monkeypatch.setattr(volumes, "_upload_file", upload)
    monkeypatch.setattr(volumes, "make_disk", overlay)
    monkeypatch.setattr(volumes, "read_start", lambda *_: b"QFI\xfb")
    monkeypatch.setattr(domains, "grow", lambda *_: None)
    connection = libvirt.open(URI)
    yield connection
    connection.close()


def image(tmp_path: Path, role: str = "base") -> dict[str, Any]:
    source = tmp_path / role
    source.write_text(role)
    empty = {"url": "", "checksum": "", "kubernetes": "", "addons": []}
    return {**COMMON, "role": role, "name": f"shared-1.{role}", "source": str(source), **empty}


class Lab:
    """One machine, made in the order in which Pulumi makes it."""

    def __init__(self, tmp_path: Path) -> None:
        self.outs: dict[str, dict[str, Any]] = {}
        self.made: list[tuple[Any, str, dict[str, Any]]] = []
        self.make("host", LibvirtHostProvider(), HOST)
        self.make("network", LibvirtNetworkProvider(), NETWORK)
        self.make("base", LibvirtImageProvider(), image(tmp_path))
        disk = self.make("disk", LibvirtDiskProvider(), {**MACHINE, "base": "shared-1.base", "size": float(20 * GIB)})
        host_key = tmp_path / "host_key"
        host_key.write_text("private\n")
        keys = {"authorized": "ssh-ed25519 A", "host_public": "ssh-ed25519 B", "host_key_file": str(host_key)}
        seed = self.make("seed", LibvirtSeedProvider(), {**MACHINE, **keys})
        self.domain = {
            **MACHINE,
            "cpus": 2.0,
            "memory": float(2 * GIB),
            "disk_size": float(20 * GIB),
            "network": "stacklab-cka",
            "disk": disk["volume"],
            "generation": disk["generation"],
            "seed": seed["volume"],
            "acceleration": "test",
            "kernel": "",
            "initrd": "",
            "cmdline": "",
        }
        self.make("domain", LibvirtDomainProvider(), self.domain)

    def make(self, name: str, provider: Any, props: dict[str, Any]) -> dict[str, Any]:
        result = provider.create(props)
        self.outs[name] = dict(result.outs or {})
        self.made.append((provider, result.id, self.outs[name]))
        return self.outs[name]

    def remove(self) -> None:
        for provider, id_, outs in reversed(self.made):
            provider.delete(id_, outs)


@pytest.fixture
def lab(driver: Any, tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def names(driver: Any) -> set[str]:
    found = {domain.name() for domain in driver.listAllDomains()} | {net.name() for net in driver.listAllNetworks()}
    found |= {pool.name() for pool in driver.listAllStoragePools()}
    return found - {"test", "default", "default-pool"}


def test_a_lab_is_made_and_gone_without_a_trace(driver: Any, lab: Lab) -> None:
    assert names(driver) == {DOMAIN, "stacklab-cka", "stacklab"}
    assert driver.lookupByName(DOMAIN).UUIDString() == lab.outs["disk"]["generation"]
    assert dict(place.labs()) == {"cka": URI}
    lab.remove()
    assert names(driver) == set()
    assert not place.labs()
    lab.remove()


def test_what_a_killed_run_left_goes_with_the_host(driver: Any, lab: Lab) -> None:
    """The state knows the first resource only."""
    provider, id_, outs = lab.made[0]
    provider.delete(id_, outs)
    assert names(driver) == set()


def test_a_machine_is_adopted_when_it_is_the_same(driver: Any, lab: Lab) -> None:
    before = driver.lookupByName(DOMAIN).XMLDesc()
    lab.make("domain", LibvirtDomainProvider(), lab.domain)
    assert driver.lookupByName(DOMAIN).XMLDesc() == before


def test_a_fresh_disk_takes_the_machine_on_the_old_one_along(driver: Any, lab: Lab) -> None:
    before = lab.outs["disk"]["generation"]
    props = {key: lab.outs["disk"][key] for key in libvirt_disk.INPUTS}
    assert lab.make("disk", LibvirtDiskProvider(), props)["generation"] != before
    assert domains.find(driver, DOMAIN) is None


@pytest.mark.parametrize("name", ["host", "network", "base", "disk", "seed", "domain"])
def test_read_sees_what_is_there(lab: Lab, name: str) -> None:
    provider, id_, outs = next(one for one, key in zip(lab.made, lab.outs, strict=True) if key == name)
    read = provider.read(id_, outs)
    assert (read.id, read.outs) == (id_, outs)
    assert set(read.inputs) <= set(outs)
    assert "__provider" not in read.inputs
    assert not provider.diff(id_, read.outs, {**read.inputs, "__provider": "another"}).changes


@pytest.mark.parametrize("name", ["network", "base", "disk", "seed", "domain"])
def test_read_of_what_is_gone_says_so(lab: Lab, name: str) -> None:
    lab.remove()
    provider, id_, outs = next(one for one, key in zip(lab.made, lab.outs, strict=True) if key == name)
    read = provider.read(id_, outs)
    assert (read.id, read.outs) == ("", {})


def test_a_machine_on_another_disk_is_not_the_one_we_know(driver: Any, lab: Lab) -> None:
    read = LibvirtDomainProvider().read("id", {**lab.outs["domain"], "generation": "another"})
    assert read.id == ""


def test_a_machine_that_was_shut_off_is_seen_and_started(driver: Any, lab: Lab) -> None:
    driver.lookupByName(DOMAIN).destroy()
    provider, olds = LibvirtDomainProvider(), lab.outs["domain"]
    read = provider.read("id", olds)
    seen = dict(read.outs or {})
    assert seen["state"] == "shut off"
    diff = provider.diff("id", seen, lab.domain)
    assert (diff.changes, diff.replaces) == (True, [])
    outs = provider.update("id", seen, lab.domain).outs or {}
    assert (outs["state"], outs["started"] != olds["started"]) == ("running", True)
    assert driver.lookupByName(DOMAIN).isActive()


def test_memory_changes_in_place_and_the_kernel_stays(driver: Any, lab: Lab) -> None:
    outs = (
        LibvirtDomainProvider()
        .update("id", lab.outs["domain"], {**lab.domain, "memory": float(4 * GIB), "kernel": "shared-2.kernel"})
        .outs
    )
    domain = driver.lookupByName(DOMAIN)
    assert (domain.UUIDString(), domain.maxMemory()) == (lab.outs["disk"]["generation"], 4 * 1024**2)
    assert outs
    assert outs["kernel"] == ""


def test_a_network_that_is_down_is_started(driver: Any, lab: Lab) -> None:
    driver.networkLookupByName("stacklab-cka").destroy()
    provider = LibvirtNetworkProvider()
    seen = dict(provider.read("id", lab.outs["network"]).outs or {})
    assert provider.diff("id", seen, NETWORK).replaces == []
    assert provider.diff("id", seen, NETWORK).changes
    provider.update("id", seen, NETWORK)
    assert driver.networkLookupByName("stacklab-cka").isActive()


def test_a_strangers_network_fails_the_preview(driver: Any, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKLAB_PROJECT", str(Path.home() / "nowhere"))
    monkeypatch.setattr(libvirt_network, "owner_id", lambda: "f" * 16)
    before = driver.networkLookupByName("stacklab-cka").XMLDesc(0)
    assert [f.property for f in LibvirtNetworkProvider().check({}, NETWORK).failures] == ["name"]
    with pytest.raises(OwnershipError):
        LibvirtNetworkProvider().create(NETWORK)
    LibvirtNetworkProvider().delete("id", {**lab.outs["network"], "owner": "f" * 16})
    assert driver.networkLookupByName("stacklab-cka").XMLDesc(0) == before


def test_a_taken_range_fails_the_preview(driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "routes", lambda: (Route("192.168.0.0/16", "eth0"), Route("192.168.26.0/24", "sl-cka")))
    failures = LibvirtNetworkProvider().check({}, NETWORK).failures
    assert [f.property for f in failures] == ["range"]
    assert "192.168.0.0/16" in failures[0].reason
    assert "sl-cka" not in failures[0].reason, "the lab's own bridge"
    far = {**NETWORK, "uri": "qemu+ssh://nowhere.invalid/system"}
    monkeypatch.setattr(networks, "find", lambda *_: None)
    monkeypatch.setattr(libvirt_network, "connect", _no_answer)
    assert LibvirtNetworkProvider().check({}, far).failures == [], "this host's routes say nothing of another host"


def _no_answer(*_: object, **__: object) -> Any:
    raise StacklabError("libvirt does not answer")


def test_a_shared_image_goes_with_the_last_lab(driver: Any, lab: Lab, tmp_path: Path) -> None:
    other = {**image(tmp_path), "stack": "dev", "cluster": "stacklab-dev"}
    provider = LibvirtImageProvider()
    second = dict(provider.create(other).outs or {})
    pool = driver.storagePoolLookupByName("stacklab")
    assert [name for name in pool.listVolumes() if name == "shared-1.base"] == ["shared-1.base"]
    lab.remove()
    assert "shared-1.base" in pool.listVolumes()
    provider.delete("id", second)
    assert pool.listVolumes() == []


def test_an_upload_that_was_killed_begins_again(driver: Any, lab: Lab, tmp_path: Path) -> None:
    pool = driver.storagePoolLookupByName("stacklab")
    pool.storageVolLookupByName("shared-1.base").delete()
    pool.storageVolLookupByName("shared-1.base.whole").delete()
    pool.createXML(storage.volume("shared-1.base", 1), 0)
    LibvirtImageProvider().create(image(tmp_path))
    assert pool.storageVolLookupByName("shared-1.base").info()[1] == 4
    assert "shared-1.base.whole" in pool.listVolumes()


def test_the_host_key_is_not_in_the_state(lab: Lab) -> None:
    assert "private" not in str({key: value for key, value in lab.outs["seed"].items() if key != "host_key_file"})


def test_a_host_key_that_is_missing_is_told(lab: Lab) -> None:
    props = {key: lab.outs["seed"][key] for key in libvirt_seed.INPUTS}
    with pytest.raises(StacklabError, match="host key cannot be read"):
        LibvirtSeedProvider().create({**props, "host_key_file": "/nowhere/key"})


def test_kvm_that_is_asked_for_and_not_offered_is_an_error(driver: Any, lab: Lab) -> None:
    props = {**COMMON, "wanted": "kvm", "base": "shared-1.base", "kernel": "", "initrd": ""}
    with pytest.raises(StacklabError, match="KVM is asked for"):
        LibvirtAccelerationProvider().create(props)


def test_without_kvm_machines_are_emulated_and_that_is_said(
    driver: Any, lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    props = {**COMMON, "wanted": "auto", "base": "shared-1.base", "kernel": "", "initrd": ""}
    outs = LibvirtAccelerationProvider().create(props).outs or {}
    assert outs["found"] == "tcg"
    assert "offers no KVM" in capsys.readouterr().err
    same = {key: props[key] for key in libvirt_acceleration.INPUTS}
    assert not LibvirtAccelerationProvider().diff("id", outs, {**same, "kernel": "another"}).changes
    assert LibvirtAccelerationProvider().diff("id", outs, {**same, "wanted": "tcg"}).changes


RUNNING: dict[str, Any] = {
    **MACHINE,
    "cpus": 2.0,
    "memory": float(2 * GIB),
    "disk_size": float(20 * GIB),
    "network": "stacklab-cka",
    "disk": "disk",
    "generation": "1111",
    "seed": "seed",
    "acceleration": "tcg",
    "kernel": "shared-1.kernel",
    "initrd": "shared-1.initrd",
    "cmdline": "quiet",
    "state": "running",
    "started": "aa",
}


@pytest.mark.parametrize(
    ("changed", "fields", "replaced"),
    [
        ({}, [], []),
        ({"memory": float(4 * GIB)}, ["memory"], []),
        ({"cpus": 4.0}, ["cpus"], []),
        ({"acceleration": "kvm"}, ["acceleration"], []),
        ({"disk_size": float(40 * GIB)}, ["disk_size"], []),
        ({"address": "192.168.26.12"}, ["address"], ["address"]),
        ({"machine": "vm2.example.com"}, ["machine"], ["machine"]),
        ({"generation": "2222"}, ["generation"], ["generation"]),
        ({"network": "another"}, ["network"], ["network"]),
        ({"uri": "qemu:///session"}, ["uri"], ["uri"]),
        # Another image is for machines to come.
        ({"kernel": "shared-2.kernel", "initrd": "shared-2.initrd", "cmdline": ""}, [], []),
        ({"seed": "another", "__provider": "another"}, [], []),
    ],
)
def test_what_a_difference_of_a_machine_takes(
    changed: dict[str, Any], fields: list[str], replaced: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = libvirt_domain.changes(RUNNING, {**RUNNING, **changed})
    assert [change.field for change in found] == fields
    diff = LibvirtDomainProvider().diff("id", RUNNING, {**RUNNING, **changed})
    assert (diff.changes, diff.replaces, diff.delete_before_replace) == (bool(fields), replaced, True)
    assert bool(capsys.readouterr().err) == bool(fields)


def test_a_disk_does_not_shrink() -> None:
    failures = LibvirtDomainProvider().check(RUNNING, {**RUNNING, "disk_size": float(10 * GIB)}).failures
    assert [f.property for f in failures] == ["disk_size"]
    assert "20GiB -> 10GiB" in failures[0].reason
    another = {**RUNNING, "disk_size": float(10 * GIB), "address": "192.168.26.12"}
    assert LibvirtDomainProvider().check(RUNNING, another).failures == [], "a machine that is made anew may"
    assert LibvirtDomainProvider().check({}, RUNNING).failures == []


@pytest.mark.parametrize(
    ("changed", "replaced"),
    [
        ({"base": "shared-2.base"}, []),
        ({"size": float(40 * GIB)}, []),
        ({"address": "192.168.26.12"}, ["address"]),
    ],
)
def test_a_disk_stays_when_the_image_changes(changed: dict[str, Any], replaced: list[str]) -> None:
    olds = {**MACHINE, "base": "shared-1.base", "size": float(20 * GIB), "volume": "disk", "generation": "1111"}
    assert LibvirtDiskProvider().diff("id", olds, {**olds, **changed}).replaces == replaced
    assert LibvirtDiskProvider().diff("id", olds, {**olds, **changed}).changes == bool(replaced)


@pytest.mark.parametrize(
    ("changed", "fields", "replaced"),
    [
        ({}, [], []),
        ({"hosts": [*NETWORK["hosts"], SECOND]}, ["hosts"], []),
        ({"hosts": []}, ["hosts"], []),
        ({"range": "10.9.8.0/24", "gateway": "10.9.8.1"}, ["range", "gateway"], ["range", "gateway"]),
    ],
)
def test_machines_come_to_a_network_in_place(changed: dict[str, Any], fields: list[str], replaced: list[str]) -> None:
    assert [c.field for c in libvirt_network.changes(NETWORK, {**NETWORK, **changed})] == fields
    assert LibvirtNetworkProvider().diff("id", NETWORK, {**NETWORK, **changed}).replaces == replaced


LOGIN = {"key": "/k", "known_hosts": "/h", "user": "root", "port": 22.0, "jump": ""}


@pytest.mark.parametrize(
    ("changed", "fields", "replaced"),
    [
        ({}, [], []),
        ({"started": "bb"}, ["started"], []),
        ({"disk_size": 2.0}, ["disk_size"], []),
        ({"generation": "2222"}, ["generation"], ["generation"]),
        ({"jump": "far"}, ["jump"], []),
        ({"acceleration": "kvm", "console": "another"}, [], []),
    ],
)
def test_when_a_machine_is_waited_for_again(changed: dict[str, Any], fields: list[str], replaced: list[str]) -> None:
    olds = {**MACHINE, **LOGIN, "generation": "1111", "started": "aa", "disk_size": 1.0, "acceleration": "tcg"}
    assert [c.field for c in ssh.changes(olds, {**olds, **changed})] == fields
    assert ssh.ReachableProvider().diff("id", olds, {**olds, **changed}).replaces == replaced


def test_what_cloud_init_complains_about() -> None:
    assert ssh.errors('{"v1": {"errors": ["no user-data"]}}') == ["no user-data"]
    assert ssh.errors('{"v1": {"errors": []}}') == []
    assert ssh.errors("") == []


def test_a_machine_that_never_answers_is_told_with_what_libvirt_knows(
    driver: Any, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh, "PATIENCE", {"tcg": 0.0})
    monkeypatch.setattr(volumes, "read_end", lambda *_: "Kernel panic - not syncing: no init\n")
    known = tmp_path / "known_hosts"
    known.touch()
    props = {
        **MACHINE,
        **LOGIN,
        "address": "127.0.0.1",
        "port": 9.0,
        "known_hosts": str(known),
        "generation": "1111",
        "started": "aa",
        "disk_size": 1.0,
        "acceleration": "test",
        "domain": DOMAIN,
        "network": "stacklab-cka",
        "console": "console",
    }
    with pytest.raises(StacklabError) as caught:
        ssh.ReachableProvider().create(props)
    said = str(caught.value)
    assert said.startswith("vm1.example.com: SSH answers and cloud-init is done: not so after 0 s")
    for evidence in ("machine: running", "DHCP leases: ", "Kernel panic", "virsh -c"):
        assert evidence in said
