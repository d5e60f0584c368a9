"""The address in front of several masters: golden texts, and who runs what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from modules.bootstrap import endpoint
from modules.bootstrap.endpoint import haproxy, keepalived, making
from modules.bootstrap.kubeadm.spec import Front, Node
from modules.bootstrap.step import Run, Write
from tests.unit.bootstrap.kubeadm.cases import agrees, cluster, nodes

VIP = "192.168.26.10"
MASTER, WORKER = nodes(1, 1)
BEHIND, WITHOUT, ONE = cluster(3, vip=VIP).front, cluster(3).front, cluster().front
TEXTS = {
    "haproxy-behind-an-address.cfg": haproxy.config(BEHIND, "master"),
    "haproxy-on-a-worker.cfg": haproxy.config(WITHOUT, "worker"),
    "haproxy.service": haproxy.unit(),
    "keepalived.conf": keepalived.config(BEHIND, MASTER.address, "eth0"),
    "keepalived-one-master.conf": keepalived.config(replace(ONE, vip=VIP), MASTER.address, "eth0"),
    "keepalived.service": keepalived.unit(),
    "check-api.sh": keepalived.check(),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_the_golden_one(name: str) -> None:
    agrees(TEXTS[name], name)


@pytest.mark.parametrize(
    ("front", "node", "services"),
    [
        (ONE, MASTER, set()),
        (ONE, WORKER, set()),
        (WITHOUT, MASTER, set()),
        (WITHOUT, WORKER, {"haproxy"}),
        (BEHIND, WORKER, set()),
        (BEHIND, MASTER, {"haproxy", "keepalived"}),
        (replace(ONE, vip=VIP), MASTER, {"haproxy", "keepalived"}),
    ],
)
def test_who_runs_what(front: Front, node: Node, services: set[str]) -> None:
    steps = endpoint.steps(front, node)
    assert {step.name for step in steps if step.difference("interface eth1\n")} == services


def printed(front: Front, node: Node, name: str) -> str:
    """What the probe says once the difference was done."""
    [step] = [step for step in endpoint.steps(front, node) if step.name == name]
    lines = ["interface eth1"]
    for action in step.difference("interface eth1\n"):
        if isinstance(action, Write):
            lines += [f"file {action.path}", *(f"| {line}" for line in action.content.splitlines())]
    return "\n".join([*lines, "active", ""])


@pytest.mark.parametrize("name", ["haproxy", "keepalived"])
def test_nothing_is_done_twice(name: str) -> None:
    [step] = [step for step in endpoint.steps(BEHIND, MASTER) if step.name == name]
    after = printed(BEHIND, MASTER, name)
    assert step.difference(after) == []
    [action] = step.difference(after.replace("active\n", ""))
    assert isinstance(action, Run)


def test_another_master_is_a_change_and_one_master_less_ends_it() -> None:
    [step] = [step for step in endpoint.steps(cluster(2).front, WORKER) if step.name == "haproxy"]
    said = printed(WITHOUT, WORKER, "haproxy")
    assert [type(action).__name__ for action in step.difference(said)] == ["Write", "Run"]
    [gone] = [step for step in endpoint.steps(ONE, WORKER) if step.name == "haproxy"]
    assert [type(action).__name__ for action in gone.difference(said)] == ["Run"]


def test_keepalived_uses_the_interface_that_has_the_machines_address() -> None:
    [step] = [step for step in endpoint.steps(BEHIND, MASTER) if step.name == "keepalived"]
    text = "".join(a.content for a in step.difference("interface enp7s0\n") if isinstance(a, Write))
    assert f"{VIP}/32 dev enp7s0" in text
    assert making.INTERFACE not in text


def test_labs_of_one_network_have_routers_of_their_own() -> None:
    ids = {keepalived.router_id(replace(BEHIND, vip=f"192.168.26.{n}")) for n in range(2, 12)}
    assert len(ids) > 5
    assert all(1 <= one <= 255 for one in ids)
