"""Labels and taints: what the API is told for a node that is, a node that is wanted, and what we set before."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modules.bootstrap.kubeadm import nodes
from modules.bootstrap.kubeadm.join import wanted
from modules.bootstrap.kubeadm.nodes import ANNOTATION, Wanted, patch
from modules.bootstrap.kubeadm.spec import EXCLUDE, TAINT, Node

DB = {"key": "dedicated", "value": "db", "effect": "NoSchedule"}
NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


def node(labels: dict[str, str], taints: list[dict[str, str]], ours: dict[str, list[str]] | None = None) -> Any:
    annotations = {ANNOTATION: json.dumps(ours)} if ours is not None else {}
    metadata = {"name": "n", "resourceVersion": "7", "labels": labels, "annotations": annotations}
    return {"metadata": metadata, "spec": {"taints": taints} if taints else {}}


def want(labels: dict[str, str] | None = None, *taints: str) -> Wanted:
    return Wanted("n", labels or {}, taints)


NOTHING: dict[str, list[str]] = {"labels": [], "taints": []}


@pytest.mark.parametrize(
    ("there", "wish", "labels", "taints"),
    [
        (node({}, [], NOTHING), want(), None, None),
        (node({"tier": "front"}, [], {"labels": ["tier"], "taints": []}), want({"tier": "front"}), None, None),
        (node({}, [], NOTHING), want({"tier": "front"}), {"tier": "front"}, None),
        (node({"tier": "back"}, [], NOTHING), want({"tier": "front"}), {"tier": "front"}, None),
        (node({"tier": "front"}, [], {"labels": ["tier"], "taints": []}), want(), {"tier": None}, None),
        (node({"other": "1"}, [], NOTHING), want(), None, None),
        (node({}, [], {"labels": ["tier"], "taints": []}), want(), {}, None),
        (node({}, [NOT_READY], NOTHING), want({}, "dedicated=db:NoSchedule"), {}, [NOT_READY, DB]),
        (node({}, [NOT_READY, DB], {"labels": [], "taints": ["dedicated/NoSchedule"]}), want(), {}, [NOT_READY]),
        (node({}, [DB], {"labels": [], "taints": ["dedicated/NoSchedule"]}), want(), {}, None),
        (node({}, [NOT_READY], NOTHING), want(), None, None),
    ],
)
def test_patch(there: Any, wish: Wanted, labels: Any, taints: Any) -> None:
    found = patch(there, wish)
    if labels is None:
        assert found is None
        return
    assert found is not None
    assert found["metadata"]["resourceVersion"] == "7", "a change in between must not be overwritten"
    assert found["metadata"].get("labels", {}) == labels
    if taints is not None:
        assert found["spec"] == {"taints": taints}
    elif "spec" in found:
        assert found["spec"] == {"taints": None}


def test_what_is_as_it_was_left_needs_nothing() -> None:
    wish = want({"tier": "front"}, "dedicated=db:NoSchedule")
    first = patch(node({}, []), wish)
    assert first is not None
    after = node(first["metadata"]["labels"], first["spec"]["taints"])
    after["metadata"]["annotations"] = first["metadata"]["annotations"]
    assert patch(after, wish) is None


def test_a_lone_master_loses_what_kubeadm_gave_it() -> None:
    kubeadm = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    there = node({EXCLUDE: ""}, [kubeadm])
    master = Node("n", "master", "10.0.0.1")
    found = patch(there, wanted(master, alone=True))
    assert found is not None
    assert found["metadata"]["labels"] == {EXCLUDE: None}
    assert found["spec"] == {"taints": None}
    back = patch(node({}, [], NOTHING), wanted(master, alone=False))
    assert back is not None
    assert back["spec"] == {"taints": [kubeadm]}
    assert nodes.parse([TAINT]) == [kubeadm]
