"""A lab of virtual machines, in the order of a trainee's day: each test goes on from where the one before left the lab.

The guests run under qemu's own emulation where KVM does not work, so there is one small lab for all of it, with the
network that has the least to do. Calico and what comes on top of it are another lab's, for which there is less often
time.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import vms as machines
from tests.support.http import fetch
from tests.support.labs import Lab
from tests.support.project import Project

pytestmark = pytest.mark.alone
SUBNET = "192.168.126"
WORKER, NEW = (machines.machine(SUBNET, number, cpus=1) for number in (22, 23))


@pytest.fixture(scope="module")
def vms(project: Project) -> Iterator[Lab]:
    with machines.lab(project, "e2e-vms", machines.spec(SUBNET, [WORKER], ["flannel"])) as lab:
        yield lab


def test_up_makes_machines_that_are_ready_nodes(vms: Lab) -> None:
    assert machines.nodes(vms) == {"vms21.rhce.cc": "True", "vms22.rhce.cc": "True"}


def test_everything_in_the_lab_is_reached(vms: Lab) -> None:
    vms.verify().ok()
    assert fetch(vms.exposure("kubia", "nodeport")["url"])["pod"].startswith("kubia-")


def test_a_machine_is_reached_by_the_command_in_the_outputs(vms: Lab) -> None:
    machine = vms.outputs()["machines"][0]
    said = vms.project.run("sh", "-c", f"{machine['ssh']} hostname -f").ok().output
    assert said.strip() == machine["name"]


def test_a_second_up_changes_nothing(vms: Lab) -> None:
    vms.unchanged().ok()


def test_no_private_key_is_in_the_state(vms: Lab) -> None:
    shown = vms.project.pulumi("stack", "export", stack=vms.stack).ok().output
    assert "PRIVATE KEY" not in shown
    assert "client-key-data" not in shown


def test_a_worker_is_added_by_editing_the_file(vms: Lab) -> None:
    vms.spec["workers"] = [WORKER, NEW]
    vms.up().ok()
    assert machines.nodes(vms)[NEW["name"]] == "True"


def test_a_worker_leaves_by_editing_the_file(vms: Lab) -> None:
    vms.spec["workers"] = [WORKER]
    vms.up().ok()
    assert set(machines.nodes(vms)) == {"vms21.rhce.cc", "vms22.rhce.cc"}
    vms.unchanged().ok()


def test_destroy_leaves_nothing(vms: Lab) -> None:
    vms.destroy().ok()
    vms.receipt().ok()
