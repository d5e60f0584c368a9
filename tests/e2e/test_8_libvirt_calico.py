"""A lab of virtual machines with all that the default lab has, at rest and back.

Emulated machines take eight minutes to verified on two quiet cores, and half an hour for all of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support import vms as machines
from tests.support.http import fetch
from tests.support.labs import Lab
from tests.support.project import Project

pytestmark = [pytest.mark.alone, pytest.mark.long]
SUBNET = "192.168.125"
ADDONS = ("calico", "metrics-server")
WORKER, NEW = (machines.machine(SUBNET, number, cpus=1) for number in (22, 23))


@pytest.fixture(scope="module")
def vms(project: Project) -> Iterator[Lab]:
    with machines.lab(project, "e2e-vms-calico", machines.spec(SUBNET, [WORKER], ADDONS)) as lab:
        yield lab


def test_up_makes_machines_that_are_ready_nodes(vms: Lab) -> None:
    assert machines.nodes(vms) == {"vms21.rhce.cc": "True", "vms22.rhce.cc": "True"}


def test_everything_in_the_lab_is_reached(vms: Lab) -> None:
    vms.verify().ok()
    assert fetch(vms.exposure("kubia", "nodeport")["url"])["pod"].startswith("kubia-")


def test_a_third_machine_joins_and_leaves(vms: Lab) -> None:
    vms.spec["workers"] = [WORKER, NEW]
    vms.up().ok()
    assert machines.nodes(vms)[NEW["name"]] == "True"
    vms.spec["workers"] = [WORKER]
    vms.up().ok()
    assert set(machines.nodes(vms)) == {"vms21.rhce.cc", "vms22.rhce.cc"}
    vms.unchanged().ok()


def test_a_load_balancer_and_an_ingress_controller_come_later(vms: Lab) -> None:
    vms.spec["addons"] = [*ADDONS, "metallb", "traefik"]
    vms.spec["apps"][0]["expose"] += [{"loadbalancer": {}}, {"ingress": {"host": "kubia.example.com"}}]
    vms.up().ok()
    vms.verify().ok()
    assert fetch(vms.exposure("kubia", "loadbalancer")["url"])["pod"].startswith("kubia-")


@pytest.mark.timeout(1500)
def test_stopped_and_started_it_is_the_same_lab(vms: Lab) -> None:
    for verb, state in (("stop", "shut off"), ("start", "running")):
        shown = vms.project.run("stacklab", verb, vms.stack, "--json", timeout=600).ok().output
        assert json.loads(shown) == dict.fromkeys(("vms21.rhce.cc", "vms22.rhce.cc"), state)
    vms.verify().ok()


def test_destroy_leaves_nothing(vms: Lab) -> None:
    vms.destroy().ok()
    vms.receipt().ok()
