"""The checks of the cluster itself, each green and red, against what kubectl would print."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from modules.base.errors import StacklabError
from modules.verify.checks.dns import ClusterDns
from modules.verify.checks.metrics import Metrics
from modules.verify.checks.nodes import NodesReady
from modules.verify.checks.pods import PodToPod
from modules.verify.checks.policy import PolicyBlocks
from modules.verify.checks.probing import ProbesRun
from modules.verify.checks.storage import ClaimsBound, claims_of
from modules.verify.checks.workloads import WorkloadRuns
from modules.verify.context import Context
from modules.verify.finding import Look
from modules.verify.lab import App
from modules.verify.probes import running
from tests.unit.verify.conftest import MACHINES, probe_items
from tests.unit.verify.kubectl_fake import FakeKubectl, line


def node(name: str, address: str, ready: str = "True") -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "status": {
            "conditions": [{"type": "Ready", "status": ready, "message": "kubelet stopped posting node status."}],
            "addresses": [{"type": "InternalIP", "address": address}],
            "nodeInfo": {"kubeletVersion": "v1.36.3"},
        },
    }


NODES = [node(m.name, m.address) for m in MACHINES]


@pytest.mark.parametrize(
    ("nodes", "ok", "part"),
    [
        (NODES, True, "3 nodes Ready, v1.36.3"),
        (NODES[:2], False, "m-worker2 is not a node"),
        ([*NODES[:2], node("m-worker2", "10.200.1.22", "Unknown")], False, "m-worker2 is not Ready: kubelet stopped"),
        ([*NODES[:2], node("m-worker2", "10.200.1.99")], False, "m-worker2 is at 10.200.1.99, not at 10.200.1.22"),
    ],
)
def test_nodes(context: Context, kubectl: FakeKubectl, nodes: list[Any], ok: bool, part: str) -> None:
    kubectl.on("get nodes", stdout={"items": nodes})
    seen = NodesReady().look(context)
    assert (seen.ok, part in seen.evidence) == (ok, True), seen


def test_probes(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context.probes, "now", lambda patience: running(probe_items()))
    assert ProbesRun().look(context) == Look(True, "new pods run on 3 nodes")
    monkeypatch.setattr(context.probes, "now", lambda patience: running([]))
    assert not ProbesRun().look(context).ok


def test_dns(context: Context, kubectl: FakeKubectl) -> None:
    kubectl.on("get service kubernetes", stdout={"spec": {"clusterIP": "10.96.0.1"}})
    kubectl.on("echo lookup", stdout="10.96.0.1\n")
    assert ClusterDns().look(context).ok
    assert sum("echo lookup" in call for call in kubectl.calls) == 3
    kubectl.on("probe-1", "echo lookup", stdout="10.96.0.9\n")
    seen = ClusterDns().look(context)
    assert (seen.ok, "m-worker got 10.96.0.9" in seen.evidence) == (False, True)


def test_dns_that_does_not_answer(context: Context, kubectl: FakeKubectl) -> None:
    kubectl.on("get service kubernetes", stdout={"spec": {"clusterIP": "10.96.0.1"}})
    kubectl.on("echo lookup", stderr="echo lookup: server misbehaving\ncommand terminated with exit code 1\n", code=1)
    with pytest.raises(StacklabError, match="server misbehaving"):
        ClusterDns().look(context)


def pair(kubectl: FakeKubectl, source: str, *targets: str, broken: str = "", wrong: str = "") -> None:
    """What `echo get` prints in one probe that asks the others."""
    lines = [
        line(status=0, error="i/o timeout") if target == broken else line(pod="other" if target == wrong else target)
        for target in targets
    ]
    kubectl.on("exec --namespace stacklab-verify-", source, "echo get", stdout="".join(lines), code=int(bool(broken)))


def test_pod_to_pod(context: Context, kubectl: FakeKubectl) -> None:
    pair(kubectl, "probe-0", "probe-1", "probe-2")
    pair(kubectl, "probe-1", "probe-0", "probe-2")
    pair(kubectl, "probe-2", "probe-0", "probe-1")
    seen = PodToPod().look(context)
    assert (seen.ok, seen.evidence) == (True, "6 pairs of 3 nodes")
    pair(kubectl, "probe-1", "probe-0", "probe-2", broken="probe-2")
    seen = PodToPod().look(context)
    assert not seen.ok
    assert "m-worker -> m-worker2" in seen.evidence
    assert "i/o timeout" in seen.evidence
    pair(kubectl, "probe-1", "probe-0", "probe-2", wrong="probe-0")
    assert PodToPod().look(context).evidence == "not probe-0 answered"


def test_policy_blocks(context: Context, kubectl: FakeKubectl) -> None:
    kubectl.on("echo get", stdout=line(pod="guarded"))
    kubectl.on("echo get", stdout=line(status=0, error="deadline exceeded"), code=1, needs="denied")
    kubectl.on("apply", "NetworkPolicy", makes="denied")
    kubectl.on("delete networkpolicy", drops="denied")
    seen = PolicyBlocks().look(context)
    assert seen.ok, seen
    assert "m-control-plane -> m-worker2 blocked" in seen.evidence
    assert list((kubectl.home / "state").iterdir()) == []


def test_policy_that_does_not_block(context: Context, kubectl: FakeKubectl) -> None:
    kubectl.on("echo get", stdout=line(pod="guarded"))
    kubectl.on("apply", "NetworkPolicy", makes="denied")
    kubectl.on("delete networkpolicy", drops="denied")
    seen = PolicyBlocks(within=0.3).look(context)
    assert (seen.ok, seen.final) == (False, True)
    assert "still answers" in seen.evidence
    assert list((kubectl.home / "state").iterdir()) == []


def test_policy_that_blocks_for_ever(context: Context, kubectl: FakeKubectl) -> None:
    kubectl.on("echo get", stdout=line(pod="guarded"))
    kubectl.on("echo get", stdout=line(status=0, error="deadline exceeded"), code=1, needs="denied")
    kubectl.on("apply", "NetworkPolicy", makes="denied")
    kubectl.on("delete networkpolicy")
    with pytest.raises(StacklabError, match="open again"):
        PolicyBlocks(within=0.3).look(context)


def test_policy_when_nothing_answers_anyway(context: Context, kubectl: FakeKubectl) -> None:
    kubectl.on("echo get", stdout=line(status=0, error="i/o timeout"), code=1)
    seen = PolicyBlocks().look(context)
    assert not seen.ok
    assert "even without a policy" in seen.evidence
    assert not any("apply" in call and "networkpolicy" in call.lower() for call in kubectl.calls)


TOP = "m-control-plane   143m   7%    800Mi   3%\nm-worker  20m  1%  300Mi  1%\nm-worker2  20m  1%  300Mi  1%\n"


@pytest.mark.parametrize(
    ("nodes", "pods", "ok", "part"),
    [
        (TOP, "default kubia-0 1m 5Mi\n", True, "3 nodes and 1 pods measured"),
        (
            TOP.replace("20m  1%  300Mi  1%", "<unknown> <unknown> <unknown> <unknown>"),
            "x",
            False,
            "m-worker, m-worker2",
        ),
        (TOP, "", False, "no numbers for pods"),
    ],
)
def test_metrics(context: Context, kubectl: FakeKubectl, nodes: str, pods: str, ok: bool, part: str) -> None:
    kubectl.on("top nodes", stdout=nodes)
    kubectl.on("top pods", stdout=pods)
    seen = Metrics().look(context)
    assert (seen.ok, part in seen.evidence) == (ok, True), seen


def claim(name: str, phase: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("claims", "ok", "part"),
    [
        ([claim("data-db-0", "Bound"), claim("other", "Pending")], True, "1 bound: data-db-0"),
        ([claim("data-db-0", "Pending")], False, "data-db-0 is Pending"),
        ([], False, "data-db-0 is missing"),
    ],
)
def test_storage(context: Context, kubectl: FakeKubectl, claims: list[Any], ok: bool, part: str) -> None:
    volume = {"persistentVolumeClaim": {"claimName": "data-db-0"}}
    kubectl.on("get pods", "name=db", stdout={"items": [{"spec": {"volumes": [{"emptyDir": {}}, volume]}}]})
    kubectl.on("get persistentvolumeclaims", stdout={"items": claims})
    db = App("db", "statefulset", 1, sticky=False, echo=True, volume=True)
    seen = ClaimsBound(db).look(context)
    assert (seen.ok, part in seen.evidence) == (ok, True), seen
    kubectl.on("get pods", "name=db", stdout={"items": [{"spec": {}}]})
    assert not ClaimsBound(db).look(context).ok


def test_the_claims_of_a_pod() -> None:
    volumes = [
        {"name": "data", "ephemeral": {"volumeClaimTemplate": {}}},
        {"name": "more", "persistentVolumeClaim": {"claimName": "shared"}},
        {"name": "scratch", "emptyDir": {}},
    ]
    assert claims_of({"metadata": {"name": "agent-x"}, "spec": {"volumes": volumes}}) == ["agent-x-data", "shared"]


def workload(spec: dict[str, Any] | None = None, generation: int = 2, **status: Any) -> dict[str, Any]:
    return {"metadata": {"generation": generation}, "spec": spec or {}, "status": status}


CRON = {"schedule": "*/5 * * * *"}


@pytest.mark.parametrize(
    ("kind", "found", "ok", "part"),
    [
        ("deployment", workload(observedGeneration=2, readyReplicas=2, updatedReplicas=2), True, "2 of 2 ready"),
        ("deployment", workload(observedGeneration=2, readyReplicas=1, updatedReplicas=2), False, "1 of 2 ready"),
        ("deployment", workload(observedGeneration=2, readyReplicas=2, updatedReplicas=1), False, "1 up to date"),
        ("deployment", workload(observedGeneration=1, readyReplicas=2, updatedReplicas=2), False, "not seen yet"),
        ("deployment", workload(), False, "not seen yet"),
        ("deployment", workload(observedGeneration=2), False, "0 of 2 ready"),
        ("replicaset", workload(observedGeneration=2, readyReplicas=2), True, "2 of 2 ready"),
        ("replicaset", workload(observedGeneration=2, readyReplicas=3), False, "3 of 2 ready"),
        ("statefulset", workload(observedGeneration=2, readyReplicas=2, updatedReplicas=2), True, "2 of 2"),
        (
            "daemonset",
            workload(observedGeneration=2, desiredNumberScheduled=3, numberReady=3, updatedNumberScheduled=3),
            True,
            "3 of 3 ready",
        ),
        ("daemonset", workload(observedGeneration=2, desiredNumberScheduled=3, numberReady=2), False, "2 of 3 ready"),
        ("job", workload(succeeded=1, conditions=[{"type": "Complete", "status": "True"}]), True, "1 of 1 completed"),
        ("job", workload(active=1), False, "0 of 1 completed"),
        (
            "job",
            workload(conditions=[{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]),
            False,
            "failed: BackoffLimitExceeded",
        ),
        ("cronjob", workload(CRON), True, "not due yet"),
        ("cronjob", workload(CRON, lastScheduleTime="T1"), False, "begun at T1"),
        ("cronjob", workload(CRON, lastScheduleTime="T1", lastSuccessfulTime="T2"), True, "last completed at T2"),
        ("cronjob", workload({**CRON, "suspend": True}), False, "suspended"),
    ],
)
def test_workloads(
    context: Context, kubectl: FakeKubectl, kubia: App, kind: str, found: dict[str, Any], ok: bool, part: str
) -> None:
    kubectl.on(f"get {kind} kubia", stdout=found)
    replicas = None if kind == "daemonset" else 2
    seen = WorkloadRuns(dataclasses.replace(kubia, workload=kind, replicas=replicas)).look(context)
    assert (seen.ok, part in seen.evidence) == (ok, True), seen
