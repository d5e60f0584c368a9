"""Networks, pools and machines on libvirt's test driver: really defined, started, changed and removed."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import libvirt
import pytest

from modules.base import kubeconfig, paths
from modules.base.errors import OwnershipError, StacklabError
from modules.host.libvirt import look, mark
from modules.host.libvirt.mark import POOL, Mark
from modules.leases import heartbeat, leaders
from modules.machines.libvirt import domains, networks, pools, volumes
from modules.machines.libvirt.lifecycle import VirtualMachines
from modules.machines.libvirt.xml import domain as domain_xml
from modules.machines.libvirt.xml import network as network_xml
from modules.machines.libvirt.xml import storage
from tests.unit.machines.on_libvirt.cases import DIRECT, DOMAIN, HOSTS, MARK, NETWORK, OWNER
from tests.unit.machines.on_libvirt.conftest import URI

STRANGER = Mark("cka", "f" * 16, "/home/you/labs")
KUBECONFIG = """\
clusters: [{cluster: {server: "https://192.168.26.21:6443", certificate-authority-data: Q0E=}}]
"""
MACHINE = replace(DOMAIN, acceleration="test")


@pytest.mark.parametrize("boot", [DIRECT, None])
def test_a_machine_is_defined_started_and_undefined(driver: Any, boot: Any) -> None:
    spec = replace(MACHINE, boot=boot)
    domains.ensure(driver, spec, MARK)
    domain = driver.lookupByName(spec.name)
    assert domains.state(domain) == domains.RUNNING
    assert (domain.UUIDString(), domain.maxMemory() * 1024, domain.maxVcpus()) == (spec.uuid, spec.memory, spec.cpus)
    assert mark.read(domain.XMLDesc()) == replace(MARK, configuration=spec.digest())
    domains.ensure(driver, spec, MARK)
    domains.remove(driver, spec.name, OWNER)
    assert domains.find(driver, spec.name) is None
    domains.remove(driver, spec.name, OWNER)


def test_a_machine_that_was_shut_off_is_started(driver: Any) -> None:
    domains.ensure(driver, MACHINE, MARK)
    domain = driver.lookupByName(MACHINE.name)
    domain.destroy()
    assert domains.state(domain) == "shut off"
    domains.ensure(driver, MACHINE, MARK)
    assert domains.state(domain) == domains.RUNNING
    domain.suspend()
    assert domains.state(domain) == "paused"
    domains.start(domain)
    assert domains.state(domain) == domains.RUNNING


@pytest.fixture
def at_rest(driver: Any, monkeypatch: pytest.MonkeyPatch) -> VirtualMachines:
    """Two machines of one lab, and one of another."""
    for name, owner in (("cka.m1", MARK), ("cka.w1", MARK), ("cka.w2", STRANGER)):
        uuid = f"99999999-2222-3333-4444-{sum(name.encode()):012}"
        spec = replace(MACHINE, name=name, uuid=uuid, mac=f"52:54:00:00:00:{sum(name.encode()) % 90 + 10}")
        domains.ensure(driver, spec, owner)
    networks.ensure(driver, NETWORK, MARK)
    file = paths.lab(MARK.stack) / "kubeconfig"
    file.parent.mkdir(parents=True)
    file.write_text(KUBECONFIG)
    monkeypatch.setattr(kubeconfig, "wait_for_api", lambda *_, **__: None)
    monkeypatch.setattr(heartbeat, "wait", lambda *_, **__: None)
    monkeypatch.setattr(leaders, "release", lambda *_, **__: None)
    return VirtualMachines(MARK.stack, "cka", URI, OWNER, control=["m1"])


def test_a_lab_rests_and_comes_back(driver: Any, at_rest: VirtualMachines) -> None:
    for _ in range(2):
        at_rest.pause()
        assert at_rest.states() == {"m1": "paused", "w1": "paused"}
    at_rest.unpause()
    assert at_rest.states() == {"m1": "running", "w1": "running"}
    at_rest.pause()
    for _ in range(2):
        at_rest.stop()
        assert at_rest.states() == {"m1": "shut off", "w1": "shut off"}
    assert domains.state(driver.lookupByName("cka.w2")) == domains.RUNNING
    driver.networkLookupByName(NETWORK.name).destroy()
    for _ in range(2):
        at_rest.start()
        assert at_rest.states() == {"m1": "running", "w1": "running"}
    assert driver.networkLookupByName(NETWORK.name).isActive()


@pytest.mark.parametrize(
    ("emulated", "control", "at_first"),
    [
        (True, ["m1", "m2"], {"m1": "running", "w1": "shut off"}),
        (True, ["m9"], {"m1": "running", "w1": "running"}),
        (False, ["m1"], {"m1": "running", "w1": "running"}),
    ],
)
def test_what_the_api_needs_starts_first_where_it_is_emulated(
    at_rest: VirtualMachines,
    monkeypatch: pytest.MonkeyPatch,
    emulated: bool,
    control: list[str],
    at_first: dict[str, str],
) -> None:
    seen = []
    lab = replace(at_rest, control=control)
    lab.stop()
    monkeypatch.setattr(domains, "emulated", lambda _: emulated)
    monkeypatch.setattr(kubeconfig, "wait_for_api", lambda *_, **__: seen.append(lab.states()))
    lab.start()
    assert seen == [at_first]
    assert lab.states() == {"m1": "running", "w1": "running"}


def test_a_start_waits_for_the_machines_that_were_at_rest(
    driver: Any, at_rest: VirtualMachines, monkeypatch: pytest.MonkeyPatch
) -> None:
    awaited: list[list[str]] = []
    monkeypatch.setattr(heartbeat, "wait", lambda _, names, **__: awaited.append(list(names)))
    driver.lookupByName("cka.w1").destroy()
    at_rest.start()
    at_rest.start()
    assert awaited == [["w1"]]


@pytest.mark.parametrize(("asleep", "rested"), [(["m1", "w1"], True), (["m1"], False), (["w1"], False), ([], False)])
def test_former_leaders_are_gone_only_where_every_machine_was_at_rest(
    driver: Any, at_rest: VirtualMachines, monkeypatch: pytest.MonkeyPatch, asleep: list[str], *, rested: bool
) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(leaders, "release", lambda _, until, **__: seen.append(until is not None))
    for name in asleep:
        driver.lookupByName(f"cka.{name}").destroy()
    at_rest.start()
    assert seen == [rested]


@pytest.mark.parametrize(("acceleration", "emulated"), [("kvm", False), ("tcg", True)])
def test_whether_a_machine_is_emulated_is_read_from_its_definition(acceleration: Any, *, emulated: bool) -> None:
    text = domain_xml.render(replace(DOMAIN, acceleration=acceleration), MARK)
    assert domains.emulated(SimpleNamespace(XMLDesc=lambda *_: text)) is emulated


def test_a_lab_without_machines_cannot_rest(driver: Any) -> None:
    with pytest.raises(StacklabError, match="no machines of this lab are here"):
        VirtualMachines("none", "none", URI, OWNER).stop()


def test_memory_and_processors_are_changed_in_place(driver: Any) -> None:
    domains.ensure(driver, MACHINE, MARK)
    larger = replace(MACHINE, memory=2 * MACHINE.memory, cpus=4)
    domains.shut_down(driver.lookupByName(MACHINE.name))
    domains._define(driver, larger, MARK)
    domain = driver.lookupByName(MACHINE.name)
    domains.start(domain)
    assert (domain.UUIDString(), domain.maxMemory() * 1024, domain.maxVcpus()) == (MACHINE.uuid, larger.memory, 4)


def test_our_own_machine_of_another_disk_is_made_anew(driver: Any) -> None:
    domains.ensure(driver, MACHINE, MARK)
    another = replace(MACHINE, uuid="99999999-2222-3333-4444-555555555555")
    domains.ensure(driver, another, MARK)
    assert driver.lookupByName(MACHINE.name).UUIDString() == another.uuid


@pytest.mark.parametrize("theirs", [STRANGER, None])
def test_a_strangers_machine_stays_as_it_is(driver: Any, theirs: Mark | None) -> None:
    text = domain_xml.render(MACHINE, theirs or MARK)
    driver.defineXML(text if theirs else text.replace(mark.NAMESPACE, "urn:something:else"))
    before = driver.lookupByName(MACHINE.name).XMLDesc()
    with pytest.raises(OwnershipError, match=MACHINE.name):
        domains.ensure(driver, MACHINE, MARK)
    with pytest.raises(OwnershipError):
        domains.change(driver, MACHINE, MARK, 0)
    domains.remove(driver, MACHINE.name, OWNER)
    assert driver.lookupByName(MACHINE.name).XMLDesc() == before


def test_a_network_is_made_started_and_removed(driver: Any) -> None:
    networks.ensure(driver, NETWORK, MARK)
    network = driver.networkLookupByName(NETWORK.name)
    assert (network.isActive(), network.bridgeName()) == (1, "sl-cka")
    assert networks.hosts(network.XMLDesc(0)) == {host.address: host for host in HOSTS}
    network.destroy()
    networks.ensure(driver, NETWORK, MARK)
    assert network.isActive()
    networks.delete(driver, NETWORK.name, OWNER)
    assert networks.find(driver, NETWORK.name) is None
    networks.delete(driver, NETWORK.name, OWNER)


def test_a_network_of_ours_with_another_range_is_made_anew(driver: Any) -> None:
    networks.ensure(driver, NETWORK, MARK)
    networks.ensure(driver, replace(NETWORK, range="10.9.8.0/24", gateway="10.9.8.1", hosts=()), MARK)
    assert "10.9.8.1" in driver.networkLookupByName(NETWORK.name).XMLDesc(0)


@pytest.mark.parametrize("theirs", [STRANGER, None])
def test_a_strangers_network_stays_as_it_is(driver: Any, theirs: Mark | None) -> None:
    text = network_xml.render(NETWORK, theirs or MARK)
    driver.networkDefineXML(text if theirs else text.replace(mark.NAMESPACE, "urn:something:else"))
    before = driver.networkLookupByName(NETWORK.name).XMLDesc(0)
    with pytest.raises(OwnershipError, match="stacklab-cka"):
        networks.ensure(driver, NETWORK, MARK)
    networks.delete(driver, NETWORK.name, OWNER)
    assert driver.networkLookupByName(NETWORK.name).XMLDesc(0) == before


def test_a_network_with_a_strangers_machine_on_it_is_not_removed(driver: Any) -> None:
    networks.ensure(driver, NETWORK, MARK)
    guest = domain_xml.render(MACHINE, MARK).replace(mark.NAMESPACE, "urn:something:else")
    driver.defineXML(guest.replace(MACHINE.name, "guest"))
    with pytest.raises(StacklabError, match="guest"):
        networks.delete(driver, NETWORK.name, OWNER)
    assert networks.find(driver, NETWORK.name) is not None


def test_the_pool_is_ours_and_goes_when_it_is_empty(driver: Any) -> None:
    pool = pools.ensure(driver, URI)
    assert pool.isActive()
    pool.destroy()
    assert pools.ensure(driver, URI).isActive()
    pool.createXML(storage.volume("one", 0), 0)
    pools.remove_if_empty(driver, URI)
    assert pools.find(driver, URI) is not None
    volumes.remove(pool, "one")
    volumes.remove(pool, "one")
    pools.remove_if_empty(driver, URI)
    assert pools.find(driver, URI) is None
    pools.remove_if_empty(driver, URI)


def test_a_strangers_pool_is_an_error(driver: Any) -> None:
    driver.storagePoolDefineXML(storage.pool("/elsewhere").replace(mark.POOL_UUID, DOMAIN.uuid), 0)
    with pytest.raises(OwnershipError, match=POOL):
        pools.ensure(driver, URI)
    with pytest.raises(OwnershipError):
        pools.remove_if_empty(driver, URI)
    assert driver.storagePoolLookupByName(POOL).UUIDString() == DOMAIN.uuid


def test_the_receipt_sees_what_a_lab_has(driver: Any) -> None:
    networks.ensure(driver, NETWORK, MARK)
    domains.ensure(driver, MACHINE, STRANGER)
    pool = pools.ensure(driver, URI)
    for name in ("shared-1.base", "shared-1.base.whole", f"shared-1.base.used-by.stacklab-dev.{OWNER}", "unused.base"):
        pool.createXML(storage.volume(name, 0), 0)
    items, living = look.objects(driver, URI, OWNER)
    owners = {(item.kind, item.name): item.owner for item in items if item.name != "test" and item.name != "default"}
    assert owners == {
        ("domain", MACHINE.name): f"cka of {STRANGER.owner}",
        ("libvirt network", "stacklab-cka"): "cka",
        ("libvirt volume", "shared-1.base"): "dev",
        ("libvirt volume", "shared-1.base.whole"): "dev",
        ("libvirt volume", f"shared-1.base.used-by.stacklab-dev.{OWNER}"): "dev",
        ("libvirt volume", "unused.base"): "",
    }
    assert any(one.owner == "cka" and "192.168.26.1/255.255.255.0" in one.ranges for one in living)


def test_an_error_of_libvirt_is_one_of_ours(driver: Any) -> None:
    broken = replace(NETWORK, range="10.0.0.0/8", gateway="300.1.1.1", hosts=())
    with pytest.raises(StacklabError, match="the network cannot be made") as caught:
        networks.ensure(driver, broken, MARK)
    assert not isinstance(caught.value, libvirt.libvirtError)
