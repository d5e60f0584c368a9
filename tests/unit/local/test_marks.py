"""Labels and taints: wanted, before and actual in; kubectl's arguments out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from modules.local.kind import marks
from modules.local.kind.marks import Actual
from modules.local.kind.spec import ClusterSpec, Node
from tests.unit.local.cases import spec

WORKER = "stacklab-dev-worker"


def with_worker(labels: dict[str, str] | None = None, taints: tuple[str, ...] = ()) -> ClusterSpec:
    lab = spec(1, 1)
    worker = replace(lab.nodes[1], labels=labels or {}, taints=taints)
    return replace(lab, nodes=(lab.nodes[0], worker))


def actual(labels: dict[str, str] | None = None, taints: tuple[str, ...] = ()) -> dict[str, Actual]:
    return {"stacklab-dev-control-plane": Actual({}, ()), WORKER: Actual(labels or {}, taints)}


@pytest.mark.parametrize(
    ("wanted", "before", "there", "calls"),
    [
        (with_worker(), with_worker(), actual({"a": "1"}, ("b:NoSchedule",)), []),
        (with_worker({"a": "1"}), with_worker(), actual({"a": "1"}), []),
        (with_worker({"a": "2", "b": ""}), with_worker({"a": "1"}), actual({"a": "1"}), [["label", "a=2", "b="]]),
        (with_worker(), with_worker({"a": "1"}), actual({"a": "1", "other": "x"}), [["label", "a-"]]),
        (with_worker(), with_worker({"a": "1"}), actual(), []),
        (with_worker(taints=("t=1:NoSchedule",)), with_worker(), actual(), [["taint", "t=1:NoSchedule"]]),
        (with_worker(taints=("t:NoSchedule",)), with_worker(), actual(taints=("t:NoSchedule",)), []),
        (with_worker(taints=("t=:NoSchedule",)), with_worker(), actual(taints=("t:NoSchedule",)), []),
        (
            with_worker(taints=("t=2:NoSchedule",)),
            with_worker(taints=("t=1:NoSchedule",)),
            actual(taints=("t=1:NoSchedule",)),
            [["taint", "t=2:NoSchedule"]],
        ),
        (
            with_worker(taints=("t=1:NoExecute",)),
            with_worker(taints=("t=1:NoSchedule",)),
            actual(taints=("t=1:NoSchedule", "kept:NoExecute")),
            [["taint", "t=1:NoExecute", "t=1:NoSchedule-"]],
        ),
    ],
)
def test_only_what_differs_is_said(
    wanted: ClusterSpec, before: ClusterSpec, there: dict[str, Actual], calls: list[list[str]]
) -> None:
    expected = [[verb, "node", WORKER, "--overwrite", *rest] for verb, *rest in calls]
    assert marks.commands(wanted, before.nodes, there) == expected


def test_masters_alone_may_answer_for_load_balancers() -> None:
    lab = spec(3, 0)
    there = {n.name: Actual({marks.EXCLUDE: ""}, ()) for n in lab.nodes}
    assert marks.needed(lab)
    assert marks.commands(lab, (), there)[0] == [
        *("label", "node", "stacklab-dev-control-plane", "--overwrite", f"{marks.EXCLUDE}-")
    ]


def test_a_plain_cluster_is_asked_nothing() -> None:
    assert not marks.needed(spec(1, 2))
    assert not marks.needed(spec(1, 0)), "kind sees to a single machine itself"
    assert marks.needed(spec(1, 2), before=[Node(WORKER, "worker", "", {"a": "1"})])


def test_nodes_are_read_as_kubectl_prints_them() -> None:
    taints = [{"key": "a", "effect": "NoSchedule"}, {"key": "b", "value": "1", "effect": "NoExecute"}]
    items = [{"metadata": {"name": "n", "labels": {"l": "1"}}, "spec": {"taints": taints}}, {"metadata": {"name": "m"}}]
    assert marks.parse({"items": items}) == {
        "n": Actual({"l": "1"}, ("a:NoSchedule", "b=1:NoExecute")),
        "m": Actual({}, ()),
    }
