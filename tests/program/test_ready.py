"""The waiting resource against a kubectl that says what a file tells it to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import rpc

from modules import artifacts
from modules.base.errors import StacklabError
from modules.manifests import told_first
from modules.resources.ready import DNS, ReadyProvider, changes, command, newcomers
from tests.program.stand_in import metallb, metrics_server
from tests.support.kubectl import Kubectl

provider = ReadyProvider()
DEPLOYMENT = {"what": "deployment.apps/traefik", "namespace": "traefik", "until": "rollout"}
SERVICE = {"what": "service/traefik", "namespace": "traefik", "until": "address"}
PROPS: dict[str, Any] = {
    "name": "traefik/ready",
    "cluster": "dev/g1",
    "kubeconfig_file": "/labs/dev/kubeconfig",
    "conditions": [DEPLOYMENT, SERVICE],
    "seen": ["uid:1", "uid:0"],
    "joined": {},
}
TWO = {"joined": {"m1": "boot-1", "w1": "boot-2"}}


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    fake = Kubectl(tmp_path)
    monkeypatch.setattr(artifacts, "binary", lambda name, version=None: tmp_path / name)
    return fake


def test_create_waits_for_each_condition_and_learns_the_addresses(kubectl: Kubectl) -> None:
    kubectl.says(wait=("10.0.0.200", 0), rollout=("rolled out", 0))
    made = provider.create(PROPS)
    assert made.id == "lab/dev/g1/ready/traefik/ready"
    assert made.outs == {**PROPS, "addresses": {"traefik/traefik": "10.0.0.200"}}
    asked = [call[2:4] for call in kubectl.calls()]
    assert asked == [["rollout", "status"], ["wait", "--for=jsonpath={.status.loadBalancer.ingress[0].ip}"]]
    assert all(c[:2] == ["--kubeconfig=/labs/dev/kubeconfig", "--namespace=traefik"] for c in kubectl.calls())


def test_create_again_gives_the_same(kubectl: Kubectl) -> None:
    kubectl.says(wait=("10.0.0.200", 0))
    assert provider.create(PROPS).outs == provider.create(PROPS).outs


def test_a_failure_says_what_kubernetes_says(kubectl: Kubectl) -> None:
    kubectl.says(
        rollout=("timed out waiting", 1),
        pods=("traefik-1 0/1 ImagePullBackOff", 0),
        events=("Warning Failed pod/traefik-1 no such image", 0),
    )
    with pytest.raises(StacklabError) as caught:
        provider.create(PROPS)
    text = str(caught.value)
    for part in ("deployment.apps/traefik is not ready", "ImagePullBackOff", "no such image", "kubectl", "next:"):
        assert part in text


def test_an_address_that_does_not_come_points_at_the_range(kubectl: Kubectl) -> None:
    kubectl.says(wait=("timed out", 1))
    with pytest.raises(StacklabError, match=r"network\.loadbalancers"):
        provider.create(PROPS)


def test_read_asks_for_the_addresses_and_sees_one_that_is_gone(kubectl: Kubectl) -> None:
    outs = {**PROPS, "addresses": {"traefik/traefik": "10.0.0.200"}}
    kubectl.says(get=("10.0.0.201", 0))
    seen = provider.read("id", outs)
    assert (seen.id, (seen.outs or {})["addresses"]) == ("id", {"traefik/traefik": "10.0.0.201"})
    kubectl.says(get=("", 0))
    assert provider.read("id", outs).id == ""


def test_read_of_a_cluster_that_does_not_answer_keeps_what_is_known(kubectl: Kubectl) -> None:
    outs = {**PROPS, "addresses": {"traefik/traefik": "10.0.0.200"}}
    kubectl.says(get=("connection refused", 1))
    assert provider.read("id", outs).outs == outs


def test_delete_twice_asks_for_nothing(kubectl: Kubectl) -> None:
    provider.delete("id", PROPS)
    provider.delete("id", PROPS)
    assert kubectl.calls() == []


@pytest.mark.parametrize(
    ("news", "changes", "replaces"),
    [
        ({}, False, []),
        ({"kubeconfig_file": "/elsewhere"}, False, []),
        ({"seen": ["uid:2", "uid:0"]}, True, []),
        ({"conditions": [DEPLOYMENT]}, True, []),
        ({"cluster": "dev/g2"}, True, []),
        (TWO, True, []),
    ],
)
def test_diff(news: dict[str, Any], changes: bool, replaces: list[str]) -> None:
    found = provider.diff("id", {**PROPS, "addresses": {}}, {**PROPS, **news})
    assert (found.changes, found.replaces) == (changes, replaces)


def test_update_waits_again(kubectl: Kubectl) -> None:
    kubectl.says(wait=("10.0.0.202", 0))
    outs = provider.update("id", {**PROPS, "addresses": {}}, {**PROPS, "seen": ["uid:2", "uid:0"]}).outs
    assert outs is not None
    assert (outs["addresses"], outs["seen"]) == ({"traefik/traefik": "10.0.0.202"}, ["uid:2", "uid:0"])


def test_nodes_are_waited_for_once_their_network_is_ready(kubectl: Kubectl) -> None:
    kubectl.says(wait=("10.0.0.202", 0))
    provider.create({**PROPS, **TWO})
    assert [call[1:4] for call in kubectl.calls()[2:]] == [
        ["wait", "--for=condition=Ready", "node/m1"],
        ["wait", "--for=condition=Ready", "node/w1"],
    ]


@pytest.mark.parametrize(
    ("joined", "asked", "reason"),
    [
        ({"m1": "boot-1", "w1": "boot-2", "w2": "boot-3"}, ["node/w2"], "nodes: +w2"),
        ({"m1": "boot-1", "w1": "boot-9"}, ["node/w1"], "nodes: +w1"),
        ({"m1": "boot-1"}, [], "nodes: -w1"),
    ],
)
def test_of_nodes_only_the_new_ones_are_waited_for(
    kubectl: Kubectl, joined: dict[str, str], asked: list[str], reason: str
) -> None:
    olds, news = {**PROPS, **TWO, "addresses": {"a/b": "10.0.0.9"}}, {**PROPS, "joined": joined}
    assert [change.reason for change in changes(olds, news)] == [reason]
    outs = provider.update("id", olds, news).outs
    assert [call[3] for call in kubectl.calls()] == asked
    assert outs == {**news, "addresses": {"a/b": "10.0.0.9"}}


def test_the_nodes_of_a_cluster_that_is_made_anew_are_all_waited_for(kubectl: Kubectl) -> None:
    kubectl.says(wait=("10.0.0.202", 0))
    provider.update("id", {**PROPS, **TWO}, {**PROPS, **TWO, "cluster": "dev/g2"})
    assert [call[3] for call in kubectl.calls()[2:]] == ["node/m1", "node/w1"]


def test_a_preview_that_does_not_know_the_machines_names_only_those_to_come() -> None:
    unknown = dict.fromkeys(("m1", "w1", "w2"), rpc.UNKNOWN)
    assert newcomers(TWO, {"joined": unknown}) == ["w2"]


def test_a_node_that_does_not_get_ready_is_named(kubectl: Kubectl) -> None:
    kubectl.says(wait=("timed out", 1))
    with pytest.raises(StacklabError, match="node/w1 is not ready"):
        provider.update("id", {**PROPS, "joined": {"m1": "boot-1"}}, {**PROPS, **TWO})


def test_a_condition_of_kubectl_wait_is_passed_on() -> None:
    condition = {"what": "apiservice/x", "namespace": "", "until": "condition=Available"}
    assert command(condition, 9) == ["wait", "--for=condition=Available", "apiservice/x", "--timeout=9s"]


def test_told_first_parts_what_is_told_from_what_is_waited_for() -> None:
    told, conditions = told_first(metallb())
    assert [c.data() for c in conditions] == [
        {"what": "deployment.apps/controller", "namespace": "metallb-system", "until": "rollout"},
        {"what": "daemonset.apps/speaker", "namespace": "metallb-system", "until": "rollout"},
    ]
    waits = [o["metadata"]["name"] for o in told if "pulumi.com/skipAwait" in o["metadata"].get("annotations", {})]
    assert waits == ["controller", "speaker"]
    assert len(told) == len(metallb())


def test_what_says_when_it_is_ready_is_waited_for_so() -> None:
    from modules.manifests import ready_when

    api = ready_when(metrics_server()[0], "condition=Available")
    [told], [condition] = told_first([api])
    assert "annotations" not in told["metadata"]
    assert condition.data() == {
        "what": "apiservice.apiregistration.k8s.io/v1beta1.metrics.k8s.io",
        "namespace": "",
        "until": "condition=Available",
    }


def test_pods_of_the_clusters_dns_that_do_not_run_yet_are_made_anew_before_they_are_waited_for(
    kubectl: Kubectl,
) -> None:
    kubectl.says(delete=("", 0), rollout=("rolled out", 0))
    provider.create({**PROPS, "conditions": [DNS]})
    asked = [call[2:] for call in kubectl.calls()]
    assert asked == [
        ["delete", "pods", "--selector=k8s-app=kube-dns", "--field-selector=status.phase=Pending", "--wait=false"],
        ["rollout", "status", "deployment/coredns", "--timeout=300s"],
    ]
    assert all(call[1] == "--namespace=kube-system" for call in kubectl.calls())
