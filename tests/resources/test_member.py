"""A machine as a node: what each difference takes, in words; its state from properties."""

from __future__ import annotations

from typing import Any

import pytest

from modules.artifacts.machine.texts import Limits
from modules.bootstrap.kubeadm.spec import Cluster
from modules.resources import etcd_members, member, nodes
from modules.resources.etcd_members import EtcdMembersProvider
from modules.resources.member import MemberProvider
from tests.resources.bare import lab, machine, unknown

provider = MemberProvider()


def props(name: str = "w1", **changed: Any) -> dict[str, Any]:
    own = changed.pop("own", {})
    masters = changed.pop("masters", ["m1", "m2", "m3"])
    return {
        **lab(),
        "machine": {**machine(name), "labels": {}, "taints": [], **own},
        "masters": [machine(one) for one in masters],
        "machine_generation": "id-1",
        "facts": {"cgroup_v1": True, "no_oom_adjust": False},
        "cluster": "g1",
        "alone": False,
        **changed,
    }


@pytest.mark.parametrize(
    ("name", "changed", "replaces", "words"),
    [
        ("w1", {}, None, ""),
        ("w1", {"preview": True, "machine_generation": unknown(), "cluster": unknown(), "facts": unknown()}, None, ""),
        ("w1", {"machine_generation": unknown()}, ["machine_generation"], "w1 is another machine"),
        ("w1", {"machine_generation": "id-2"}, ["machine_generation"], "the node that was leaves, it joins"),
        ("w1", {"own": {"address": "10.0.0.99"}}, ["machine"], "address of w1 10.0.0.21 -> 10.0.0.99"),
        ("w1", {"own": {"role": "master"}}, ["machine"], "role of w1 worker -> master"),
        ("w1", {"cluster": "g2"}, [], "w1 joins the cluster that is made anew"),
        ("w1", {"kubernetes": "1.37.0"}, [], "Kubernetes of w1 1.36.3 -> 1.37.0: kubeadm upgrade, drain"),
        ("w1", {"own": {"labels": {"tier": "front"}}}, [], "labels of w1 none -> tier=front"),
        ("w1", {"own": {"taints": ["a=1:NoSchedule"]}}, [], "taints of w1 none -> a=1:NoSchedule"),
        ("w1", {"own": {"labels": None, "taints": None}}, None, ""),
        ("w1", {"masters": ["m1", "m2", "m4"]}, [], "w1 is told of the masters: +m4 -m3"),
        ("w1", {"alone": True}, None, ""),
        ("m1", {"alone": True}, [], "m1 takes ordinary pods: there are no workers"),
        ("w1", {"facts": {"cgroup_v1": False, "no_oom_adjust": False}}, [], "what w1 can do has changed"),
        ("w1", {"own": {"login": {"user": "admin"}}}, [], "w1 is reached in another way"),
    ],
)
def test_diff(
    name: str, changed: dict[str, Any], replaces: list[str] | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = provider.diff("id", {**props(name), "owner": "me"}, props(name, **changed))
    said = capsys.readouterr().err
    assert result.changes is (replaces is not None)
    assert result.replaces == (replaces or [])
    assert words in said
    assert bool(said) == (replaces is not None)


@pytest.mark.parametrize(
    ("wanted", "why"),
    [("1.36.3", ""), ("1.37.0", ""), ("1.38.0", "one at a time; 1.37 first"), ("1.35.4", "cannot go back")],
)
def test_an_upgrade_that_kubeadm_cannot_do_is_refused(wanted: str, why: str) -> None:
    failures = provider.check(props(), props(kubernetes=wanted)).failures
    assert bool(failures) == bool(why)
    assert all(why in failure.reason for failure in failures)


def test_the_word_preview_is_no_input_of_an_update() -> None:
    assert "preview" not in provider.check(props(), props(preview=False)).inputs
    assert provider.check(props(), props(preview=True)).inputs["preview"] is True


def test_properties_become_what_the_sequences_work_from() -> None:
    node = nodes.node_of(props(own={"labels": {"a": "1"}, "taints": ["b:NoSchedule"]})["machine"], props()["facts"])
    assert (node.name, node.role, node.address) == ("w1", "worker", "10.0.0.21")
    assert node.labels == {"a": "1"}
    assert node.taints == ("b:NoSchedule",)
    assert node.limits == Limits(cgroup_v1=True, no_oom_adjust=False)
    cluster = nodes.cluster_of(props(vip="10.0.0.10"), "me")
    assert isinstance(cluster, Cluster)
    assert cluster.front.address == "api.stacklab-ha.internal:8443"
    assert cluster.front.masters == (("m1", "10.0.0.11"), ("m2", "10.0.0.12"), ("m3", "10.0.0.13"))
    login = nodes.remote_of(props()["machine"]).login
    assert (login.port, login.user, login.machine, login.accept_new) == (22, "root", "w1", True)


def test_every_input_is_one_that_a_plan_gives() -> None:
    assert set(member.INPUTS) == set(props())


# -- an etcd of its own --------------------------------------------------------------------------------------------


def etcd(*names: str, **changed: Any) -> dict[str, Any]:
    machines = [machine(name) for name in names or ("m1", "w1", "w2")]
    generations = {one["name"]: "id" for one in machines}
    base = {"stack": "ha", "name": "stacklab-ha", "kubernetes": "1.36.3"}
    return {**base, "etcd_machines": machines, "generations": generations, **changed}


@pytest.mark.parametrize(
    ("olds", "news", "words"),
    [
        (etcd(), etcd(), ""),
        (etcd(), etcd(kubernetes="1.37.0"), ""),
        (etcd(), etcd(generations=unknown()), ""),
        (etcd(), etcd(generations={"m1": "id", "w1": "new", "w2": "id"}), "member w1 is another machine"),
        (etcd(unwell=["w2"]), etcd(), "member w2 does not answer"),
    ],
)
def test_etcd_diff(olds: dict[str, Any], news: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = EtcdMembersProvider().diff("id", olds, news)
    assert result.changes is bool(words)
    assert result.replaces == []
    assert words in capsys.readouterr().err


def test_other_members_are_refused_and_the_same_in_another_order_are_not() -> None:
    assert EtcdMembersProvider().check(etcd(), etcd("w2", "m1", "w1")).failures == []
    for names in (("m1", "w1"), ("w1", "m1", "w3")):
        failures = EtcdMembersProvider().check(etcd(), etcd(*names)).failures
        assert [failure.property for failure in failures] == ["etcd_machines"]
        assert "stacklab etcd backup" in failures[0].reason
    assert EtcdMembersProvider().check({}, etcd()).failures == []
    assert etcd_members.INPUTS[:2] == ("stack", "name")
