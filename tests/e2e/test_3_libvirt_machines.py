"""Virtual machines without Kubernetes on them: made, changed in place, lost, stopped, and gone without a trace.

A project of its own, whose program ends where the machines answer. One tiny machine, later two.
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from modules.host.libvirt import place
from modules.local.owner import owner_id
from tests.support.labs import Lab, tear_down
from tests.support.project import CHECKOUT, Project

pytestmark = pytest.mark.light
STACK = "vms"
PROGRAM = """\
import pulumi

from modules import program
from modules.resources import libvirt_machines
from modules.resources.ssh_keys import SshKeys

with program.errors_without_stack_trace():
    lab = program.read_stack()
    program.look_at_host(lab)
    made = libvirt_machines.make(lab, SshKeys(lab.cluster, lab))
    pulumi.export("generations", {name: one.generation for name, one in made.items()})
"""
SPEC: dict[str, Any] = {
    "backend": "libvirt",
    "masters": [{"name": "vm1.example.com", "address": "192.168.127.11"}],
    "workers": 0,
    "machine": {"cpus": 2, "memory": "1700MiB", "disk": "6GiB"},
    "network": {"machines": "192.168.127.0/24"},
    "addons": ["calico"],
}
SECOND = {"name": "vm2.example.com", "address": "192.168.127.21"}


@pytest.fixture(scope="module")
def machines() -> Iterator[Project]:
    """No other test's daemon or state: what this one leaves behind is its own."""
    made = Project.make(CHECKOUT / ".stacklab" / "e2e-machines")
    (made.folder / "__main__.py").write_text(PROGRAM)
    yield made
    tear_down(made)


@pytest.fixture(scope="module")
def lab(machines: Project) -> Lab:
    return Lab.of(machines, STACK, SPEC)


@pytest.fixture
def libvirt_of(machines: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The libvirt that has the lab's machines."""
    monkeypatch.setenv("STACKLAB_PROJECT", str(machines.folder))
    ours = place.here()
    connection = libvirt.open(ours.uri if ours.made else place.SYSTEM)
    yield connection
    connection.close()


def ssh(lab: Lab, machine: str, command: str) -> str:
    config = lab.project.folder / ".stacklab" / "labs" / STACK / "ssh" / "config"
    return lab.project.run("ssh", "-F", str(config), machine, command, timeout=60).ok().output


def domain_name(machine: str) -> str:
    return f"stacklab-{STACK}.{machine}"


def test_a_machine_answers_with_its_name_its_address_and_the_host_key_we_gave_it(lab: Lab) -> None:
    lab.up().ok()
    said = ssh(lab, "vm1", "hostname; ip -4 -o addr show scope global; df --output=size -BM / | tail -1").split()
    assert said[0] == "vm1.example.com"
    assert "192.168.127.11/24" in said
    assert int(said[-1].removesuffix("M")) > 5000, "the file system fills the disk"


def test_a_second_up_changes_nothing(lab: Lab) -> None:
    lab.unchanged().ok()


def test_another_machine_comes_and_the_first_does_not_notice(lab: Lab) -> None:
    before = ssh(lab, "vm1", "cat /proc/sys/kernel/random/boot_id")
    lab.spec["workers"] = [SECOND]
    lab.up().ok()
    assert ssh(lab, "vm1", "cat /proc/sys/kernel/random/boot_id") == before
    assert ssh(lab, "vm1", "getent hosts vm2.example.com").startswith("192.168.127.21")
    lab.spec["workers"] = 0
    lab.up().ok()
    assert list(lab.outputs()["generations"]) == ["vm1.example.com"]


@pytest.mark.long
def test_memory_and_disk_grow_in_place(lab: Lab) -> None:
    generation = lab.outputs()["generations"]
    ssh(lab, "vm1", "touch /root/kept")
    lab.spec["machine"] |= {"memory": "2GiB", "disk": "8GiB"}
    assert "must be made anew" not in lab.up().ok().output
    assert lab.outputs()["generations"] == generation
    memory, size, kept = ssh(
        lab, "vm1", "awk '/MemTotal/ {print $2}' /proc/meminfo; df --output=size -BM / | tail -1; ls /root"
    ).split()
    assert int(memory) > 1800 * 1024
    assert int(size.removesuffix("M")) > 7000
    assert kept == "kept"


@pytest.mark.long
def test_a_disk_does_not_shrink(lab: Lab) -> None:
    lab.spec["machine"] |= {"disk": "6GiB"}
    refused = lab.up()
    assert refused.code != 0
    assert "a disk cannot shrink: 8GiB -> 6GiB" in refused.output
    lab.spec["machine"] |= {"disk": "8GiB"}


@pytest.mark.long
def test_a_machine_that_was_shut_off_is_started(lab: Lab, libvirt_of: Any) -> None:
    libvirt_of.lookupByName(domain_name("vm1.example.com")).destroy()
    lab.up("--refresh").ok()
    assert ssh(lab, "vm1", "ls /root") == "kept\n"


@pytest.mark.long
def test_a_machine_that_is_gone_is_made_anew(lab: Lab, libvirt_of: Any) -> None:
    before = lab.outputs()["generations"]
    domain = libvirt_of.lookupByName(domain_name("vm1.example.com"))
    domain.destroy()
    domain.undefine()
    pool = libvirt_of.storagePoolLookupByName("stacklab")
    owner = owner_id()
    pool.storageVolLookupByName(f"stacklab-{STACK}.{owner}.vm1.example.com.disk").delete()
    lab.up("--refresh").ok()
    assert lab.outputs()["generations"] != before
    assert ssh(lab, "vm1", "ls /root") == ""


@pytest.mark.long
def test_up_killed_while_the_machine_boots_goes_on(lab: Lab) -> None:
    lab.destroy().ok()
    killed = lab.start_up()
    assert killed.stdout
    for line in killed.stdout:
        if f"{STACK}-acceleration" in line and "created" in line:
            break
    lab.kill(killed)
    assert killed.returncode == -signal.SIGKILL
    lab.up().ok()
    assert ssh(lab, "vm1", "hostname") == "vm1.example.com\n"


def test_nothing_is_left(lab: Lab) -> None:
    lab.destroy().ok()
    receipt = lab.receipt()
    assert receipt.code == 0, receipt.output
    work = lab.project.folder / ".stacklab"
    assert not (work / "libvirt").exists()
    if not Path("/run/systemd/system").is_dir():
        rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
        assert "LIBVIRT" not in rules
        processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        assert not [line for line in processes.splitlines() if f"stacklab-{STACK}" in line]
    said = json.loads(lab.project.run("stacklab", "receipt", STACK, "--json").output)
    assert said["leftovers"] == []
