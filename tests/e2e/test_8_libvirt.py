"""A lab of virtual machines, in the order of a trainee's day: each test goes on from where the one before left the lab.

The guests run under qemu's own emulation where KVM does not work, so there is one small lab for all of it, which
becomes a full one towards the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.http import fetch
from tests.support.labs import Lab
from tests.support.project import Project

# Eight minutes to verified on two quiet cores, half an hour in all: `make test` has no time for that.
pytestmark = pytest.mark.long
STACK = "e2e-vms"
SPEC: dict[str, Any] = {
    "backend": "libvirt",
    "masters": [{"name": "vms21.rhce.cc", "address": "192.168.126.21"}],
    "workers": [{"name": "vms22.rhce.cc", "address": "192.168.126.22", "cpus": 1}],
    "machine": {"cpus": 2, "memory": "2GiB", "disk": "10GiB"},
    "network": {"machines": "192.168.126.0/24"},
    "addons": ["calico", "metrics-server"],
    "apps": [{"name": "kubia", "replicas": 2, "expose": [{"clusterip": {}}, {"nodeport": {"port": 30080}}]}],
}
NEW: dict[str, Any] = {"name": "vms23.rhce.cc", "address": "192.168.126.23", "cpus": 1}


@pytest.fixture(scope="module")
def vms(project: Project) -> Iterator[Lab]:
    lab = Lab.of(project, STACK, SPEC)
    lab.patience = 840
    lab.up().ok()
    yield lab
    lab.remove()


def _nodes(lab: Lab) -> dict[str, str]:
    """Name -> status of its Ready condition."""
    return {
        node["metadata"]["name"]: next(c["status"] for c in node["status"]["conditions"] if c["type"] == "Ready")
        for node in lab.get("nodes")["items"]
    }


def test_up_makes_machines_that_are_ready_nodes(vms: Lab) -> None:
    assert _nodes(vms) == {"vms21.rhce.cc": "True", "vms22.rhce.cc": "True"}


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


def test_a_worker_is_added_and_removed_by_editing_the_file(vms: Lab) -> None:
    vms.spec["workers"] = [*SPEC["workers"], NEW]
    vms.up().ok()
    assert _nodes(vms)[NEW["name"]] == "True"
    vms.spec["workers"] = SPEC["workers"]
    vms.up().ok()
    assert set(_nodes(vms)) == {"vms21.rhce.cc", "vms22.rhce.cc"}
    vms.unchanged().ok()


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
