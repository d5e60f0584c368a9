"""From the objects of the API to what the page shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modules.dashboard.model import Cluster, Figure, Pod
from modules.dashboard.read import EVENTS, Answers, cluster
from modules.verify.lab import App, Lab, Machine
from tests.support.servers.kubernetes import event, node, pod

LAB = Lab(
    "dev",
    Path("kubeconfig"),
    (Machine("m1", "master", "10.0.0.1"), Machine("m2", "worker", "10.0.0.2")),
    (App("kubia", "deployment", 2, sticky=False, echo=True, volume=False),),
    (),
    frozenset(),
)


def seen(nodes: list[Any] | None = None, pods: list[Any] | None = None, **more: Any) -> Cluster:
    usual = [node("m2", "10.0.0.2"), node("m1", "10.0.0.1")]
    return cluster(LAB, Answers(usual if nodes is None else nodes, pods or [], more.pop("events", []), **more))


def one(found: dict[str, Any]) -> Pod:
    (only,) = seen(pods=[found]).pods
    return only


def test_machines_come_in_the_order_of_the_outputs_and_strangers_after_them() -> None:
    found = seen([node("zz", "10.0.0.9"), node("m2", "10.0.0.2"), node("m1", "10.0.0.1")]).machines
    assert [(m.name, m.role, m.address, m.word) for m in found] == [
        ("m1", "master", "10.0.0.1", "Ready"),
        ("m2", "worker", "10.0.0.2", "Ready"),
        ("zz", "node", "10.0.0.9", "Ready"),
    ]


def test_a_machine_that_is_no_node_is_missing() -> None:
    missing = seen([node("m1", "10.0.0.1")]).machines[1]
    assert (missing.name, missing.tone, missing.word) == ("m2", "bad", "Missing")
    assert "pulumi refresh" in missing.why


@pytest.mark.parametrize(
    ("conditions", "tone", "word", "why"),
    [
        ([{"type": "Ready", "status": "False", "message": "no network"}], "bad", "Not ready", "no network"),
        ([{"type": "Ready", "status": "Unknown"}], "bad", "Not ready", "its kubelet says nothing"),
        (
            [{"type": "Ready", "status": "True"}, {"type": "DiskPressure", "status": "True", "message": "disk"}],
            *("wait", "DiskPressure", "disk"),
        ),
    ],
)
def test_how_a_node_stands(conditions: list[dict[str, str]], tone: str, word: str, why: str) -> None:
    found = seen([node("m1", "10.0.0.1", conditions=conditions)]).machines[0]
    assert (found.tone, found.word, found.why) == (tone, word, why)


def test_a_cordoned_node() -> None:
    cordoned = node("m1", "10.0.0.1")
    cordoned["spec"]["unschedulable"] = True
    assert seen([cordoned]).machines[0].word == "Cordoned"


def test_figures_of_a_node_and_of_a_pod() -> None:
    usage = [{"metadata": {"name": "m1"}, "usage": {"cpu": "250m", "memory": "1Gi"}}]
    containers = [{"usage": {"cpu": "1m", "memory": "2Mi"}}, {"usage": {"cpu": "2m", "memory": "3Mi"}}]
    of_pods = [{"metadata": {"name": "kubia-1", "namespace": "default"}, "containers": containers}]
    found = seen(pods=[pod("kubia-1", "m1"), pod("kubia-2", "m1")], node_metrics=usage, pod_metrics=of_pods)
    assert found.machines[0].cpu == Figure(0.25, 2)
    assert found.machines[0].memory == Figure(2**30, 2 * 2**30)
    assert found.machines[1].cpu == Figure(None, 2)
    assert [(p.cpu, p.memory) for p in found.pods] == [(pytest.approx(0.003), 5 * 2**20), (None, None)]


@pytest.mark.parametrize(
    ("found", "tone", "word", "why"),
    [
        (pod("p", "m1"), "good", "Running", ""),
        (pod("p", "m1", ready=False), "wait", "Not ready", ""),
        (pod("p", "m1", phase="Succeeded"), "plain", "Completed", ""),
        (pod("p", "m1", phase="Failed"), "bad", "Failed", ""),
        (pod("p", "m1", ending=True), "wait", "Terminating", ""),
        (pod("p", "m1", phase="Pending", waiting={"reason": "ContainerCreating"}), "wait", "Starting", ""),
        (pod("p", "", phase="Pending", message="no room"), "wait", "Pending", "no room"),
        (
            pod("p", "m1", ready=False, waiting={"reason": "CrashLoopBackOff", "message": "back-off 10s"}),
            *("bad", "CrashLoopBackOff", "back-off 10s"),
        ),
        (pod("p", "m1", phase="Pending", waiting={"reason": "ErrImageNeverPull"}), "bad", "ErrImageNeverPull", ""),
    ],
)
def test_a_pod_in_a_word(found: dict[str, Any], tone: str, word: str, why: str) -> None:
    made = one(found)
    assert (made.tone, made.word, made.why) == (tone, word, why)


def test_a_pod_is_of_an_app_by_its_label_in_the_apps_namespace_only() -> None:
    assert one(pod("p", "m1", app="kubia")).app == "kubia"
    assert one(pod("p", "m1", app="kubia", namespace="other")).app == ""
    assert one(pod("p", "m1", app="traefik")).app == ""
    assert one(pod("p", "m1", restarts=3)).restarts == 3


def test_the_newest_events_come_first_and_only_so_many() -> None:
    items = [event(f"e{n}", when=f"2026-03-01T10:{n // 60:02}:{n % 60:02}Z") for n in range(EVENTS + 20)]
    late = event("late", kind="Warning") | {"lastTimestamp": None, "eventTime": "2026-03-01T11:00:00.000001Z"}
    series = {"count": 7, "lastObservedTime": "2026-03-01T12:00:00.5Z"}
    found = seen(events=[*items, late, event("series") | {"series": series}]).events
    assert [e.message for e in found[:3]] == ["series", "late", f"e{EVENTS + 19}"]
    assert len(found) == EVENTS
    assert found[0].count == 7
    assert found[1].tone == "bad"
    assert found[1].about == "Pod default/kubia"


def test_objects_with_nothing_in_them_are_no_stumbling_block() -> None:
    bare = {"metadata": {"name": "x"}, "spec": {}}
    nothing = {"metadata": {"name": "x"}, "spec": {}, "status": {"containerStatuses": None, "conditions": None}}
    found = seen([bare], [bare, nothing], events=[{"metadata": {}}])
    assert found.machines[-1].word == "Not ready"
    assert {p.word for p in found.pods} == {"Not ready"}
    assert found.events[0].when is None
