"""A lab of virtual machines with all that the default lab has, at rest and back.

Emulated machines take eight minutes to verified on two quiet cores, and half an hour for all of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.http import fetch
from tests.support.labs import Lab
from tests.support.project import Project

pytestmark = [pytest.mark.alone, pytest.mark.long]
STACK = "e2e-vms-calico"
SPEC: dict[str, Any] = {
    "backend": "libvirt",
    "masters": [{"name": "vms21.rhce.cc", "address": "192.168.125.21"}],
    "workers": [{"name": "vms22.rhce.cc", "address": "192.168.125.22", "cpus": 1}],
    "machine": {"cpus": 2, "memory": "2GiB", "disk": "10GiB"},
    "network": {"machines": "192.168.125.0/24"},
    "addons": ["calico", "metrics-server"],
    "apps": [{"name": "kubia", "replicas": 2, "expose": [{"clusterip": {}}, {"nodeport": {"port": 30080}}]}],
}
NEW: dict[str, Any] = {"name": "vms23.rhce.cc", "address": "192.168.125.23", "cpus": 1}


@pytest.fixture(scope="module")
def vms(project: Project) -> Iterator[Lab]:
    lab = Lab.of(project, STACK, SPEC)
    lab.patience = 840
    lab.up().ok()
    yield lab
    lab.remove()


def test_everything_in_the_lab_is_reached(vms: Lab) -> None:
    vms.verify().ok()
    assert fetch(vms.exposure("kubia", "nodeport")["url"])["pod"].startswith("kubia-")


def test_a_third_machine_joins_and_leaves(vms: Lab) -> None:
    for workers in ([*SPEC["workers"], NEW], SPEC["workers"]):
        vms.spec["workers"] = workers
        vms.up().ok()
        nodes = [node["metadata"]["name"] for node in vms.get("nodes")["items"]]
        assert nodes == ["vms21.rhce.cc", *(worker["name"] for worker in workers)]


def test_a_load_balancer_and_an_ingress_controller_come_later(vms: Lab) -> None:
    vms.spec["addons"] = [*SPEC["addons"], "metallb", "traefik"]
    vms.spec["apps"][0]["expose"] += [{"loadbalancer": {}}, {"ingress": {"host": "kubia.example.com"}}]
    vms.up().ok()
    vms.verify().ok()
    assert fetch(vms.exposure("kubia", "loadbalancer")["url"])["pod"].startswith("kubia-")


def test_stopped_and_started_it_is_the_same_lab(vms: Lab) -> None:
    for verb, state in (("stop", "shut off"), ("start", "running")):
        shown = vms.project.run("stacklab", verb, vms.stack, "--json", timeout=600).ok().output
        assert json.loads(shown) == dict.fromkeys(("vms21.rhce.cc", "vms22.rhce.cc"), state)
    vms.verify().ok()


def test_destroy_leaves_nothing(vms: Lab) -> None:
    vms.destroy().ok()
    vms.receipt().ok()
