"""What counts as a student's change, and what does not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.classroom import compare, declared, drift
from modules.classroom.drift import Finding, Live
from modules.manifests import Id
from tests.unit.classroom import drift_lab as lab

Objects = dict[str, dict[str, Any]]


def found(change: Callable[[Objects], object]) -> list[Finding]:
    """The findings after a change of the untouched lab."""
    there = lab.live()
    change(there)
    return drift.findings(declared.read(lab.export()), Live(list(there.values())))


def told(change: Callable[[Objects], object]) -> list[tuple[str, str, str, str]]:
    return [(one.what, one.owner, one.kind, one.place) for one in found(change)]


def test_what_a_stack_declares() -> None:
    read = declared.read(lab.export())
    assert read.machines == ("stacklab-pair-s01",)
    assert read.since == lab.BORN
    assert {(this.kind, this.name) for this in read.objects} == {
        *((one["kind"], one["metadata"]["name"]) for one in lab.OBJECTS),
        ("CustomResourceDefinition", "pools.example.com"),
    }
    assert declared.read({"deployment": {}}) == declared.Declared({}, made=False)


def test_a_name_that_only_the_state_knows() -> None:
    data = lab.export()
    resource = data["deployment"]["resources"][-2]
    del resource["inputs"]["metadata"]["namespace"]
    assert Id("", "Secret", "default", "sealed") in declared.read(data).objects


def test_an_untouched_lab_says_nothing() -> None:
    assert found(lambda there: None) == []


def test_added_edited_and_removed() -> None:
    def change(there: Objects) -> None:
        there["new"] = lab.mine()
        there["Deployment/kubia"]["spec"]["replicas"] = 5
        del there["Service/kubia"]

    assert told(change) == [
        ("removed", "lab", "Service", "default/kubia"),
        ("edited", "lab", "Deployment", "default/kubia"),
        ("added", "student", "ConfigMap", "default/mine"),
    ]
    edited, added = found(change)[1:]
    assert [(one.path, one.declared, one.found) for one in edited.changes] == [("spec.replicas", "2", "5")]
    assert added.detail == "by kubectl-create"


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        (("spec", "template", "spec", "containers", 0, "image"), "nginx", "spec.template.spec.containers[kubia].image"),
        (
            ("spec", "template", "spec", "containers", 0, "resources", "requests", "cpu"),
            "2",
            "spec.template.spec.containers[kubia].resources.requests.cpu",
        ),
        (("spec", "selector", "matchLabels", "app"), "other", "spec.selector.matchLabels.app"),
        (("metadata", "annotations", "pulumi.com/patchFieldManager"), "me", "metadata.annotations"),
        (("spec", "template", "spec", "hostNetwork"), True, "spec.template.spec.hostNetwork"),
    ],
)
def test_a_declared_field_that_is_another(path: tuple[Any, ...], value: Any, shown: str) -> None:
    def change(there: Objects) -> None:
        at: Any = there["Deployment/kubia"]
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value

    [one] = found(change)
    assert (one.what, one.owner, len(one.changes)) == ("edited", "lab", 1)
    assert one.changes[0].path.startswith(shown)


def test_a_part_of_a_list_that_is_gone() -> None:
    def change(there: Objects) -> None:
        there["Deployment/kubia"]["spec"]["template"]["spec"]["containers"][0]["env"] = []

    [one] = found(change)
    assert one.what == "edited"
    assert [(c.path, c.found) for c in one.changes] == [("spec.template.spec.containers[kubia].env", "[]")]


def test_what_is_put_into_an_object_of_the_lab_is_the_students() -> None:
    def change(there: Objects) -> None:
        containers = there["Deployment/kubia"]["spec"]["template"]["spec"]["containers"]
        containers.insert(0, {"name": "sidecar", "image": "busybox"})
        there["ConfigMap/settings"]["data"]["more"] = "x"

    assert told(change) == [
        ("added", "student", "ConfigMap", "default/settings"),
        ("added", "student", "Deployment", "default/kubia"),
    ]
    one = found(change)[1]
    assert one.detail == "in the lab's object"
    assert one.changes[0].path == "spec.template.spec.containers[sidecar]"


def test_values_of_secrets_are_never_told() -> None:
    def change(there: Objects) -> None:
        there["Secret/password"]["data"] = {"word": "Zm9vYmFy", "another": "YmFy"}
        there["mine"] = lab.mine("Secret", "own", data={"key": "b3du"})
        there["Secret/sealed"]["data"] = {"token": "b3RoZXI="}

    every = found(change)
    assert [(one.what, one.place) for one in every] == [
        ("edited", "default/password"),
        ("added", "default/own"),
        ("added", "default/password"),
    ]
    text = repr(every) + json.dumps(drift.Drift("s01", "pair-s01", tuple(every)).as_dict())
    for value in ("aHVudGVyMg", "Zm9vYmFy", "YmFy", "b3du", "b3RoZXI", "c2VjcmV0"):
        assert value not in text
    assert every[0].changes[0].path == "data.word"


def test_a_machine_that_is_away_or_not_ready() -> None:
    [gone] = found(lambda there: there.pop("Node/m"))
    assert (gone.what, gone.owner, gone.detail) == ("machine", "lab", "it is no node of the cluster")
    ready = {"type": "Ready", "status": "Unknown", "message": "Kubelet stopped posting node status."}
    [ill] = found(lambda there: there["Node/m"].update(status={"conditions": [ready]}))
    assert ill.detail == "it is not Ready: Kubelet stopped posting node status."


def test_of_what_could_not_be_listed_nothing_is_said() -> None:
    there = [one for one in lab.live().values() if one["kind"] not in ("Service", "Node")]
    live = Live(there, frozenset({("", "Service"), ("", "Node")}))
    assert drift.findings(declared.read(lab.export()), live) == []


def test_another_version_of_an_object_is_not_compared() -> None:
    def change(there: Objects) -> None:
        there["Deployment/kubia"] |= {"apiVersion": "apps/v2", "spec": {}}

    assert found(change) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1000m", "1", True),
        ("1024Mi", "1Gi", True),
        ("1.1", "1100m", True),
        ("0.1", "100m", True),
        ("1e3", "1k", True),
        ("128974848", "123Mi", True),
        (2, "2", True),
        ("1G", "1Gi", False),
        ("1", "2", False),
        ("1", "one", False),
        ("100m", "100M", False),
    ],
)
def test_quantities(one: Any, other: Any, same: bool) -> None:
    def pod(value: Any) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "Pod", "spec": {"resources": {"limits": {"cpu": value}}}}

    assert (compare.changes(pod(one), pod(other)) == []) is same
    assert (compare.changes(pod(other), pod(one)) == []) is same


def test_a_text_that_looks_like_a_quantity_is_a_text() -> None:
    before = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"size": "1000m"}}
    assert compare.changes(before, {**before, "data": {"size": "1"}}) != []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (8080, "8080", True),
        (8080, 8080.0, True),
        (True, "true", True),
        (True, 1, False),
        (0, None, True),
        ("", None, True),
        (False, None, True),
        ([], None, True),
        ({"a": {}}, None, True),
        (1, None, False),
        ({"a": {"b": 1}}, None, False),
        (["a", "b"], ["b", "a"], False),
        (["a"], ["a", "b"], False),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ([{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "a"}], True),
        ([{"port": 53, "protocol": "UDP"}, {"port": 53}], [{"port": 53}, {"port": 53, "protocol": "UDP"}], True),
        ([{"x": 1}], [{"x": 2}], False),
        ("a", {"b": 1}, False),
        ({"b": 1}, "a", False),
        (["a"], "a", False),
    ],
)
def test_values(one: Any, other: Any, same: bool) -> None:
    def holding(value: Any) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "Thing", "spec": {"value": value} if value is not None else {}}

    assert (compare.changes(holding(one), holding(other)) == []) is same


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["name", "port", "limits", "cpu", "a", "data"]), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(VALUES, VALUES)
def test_an_object_is_as_itself_and_nothing_is_too_strange_to_compare(one: Any, other: Any) -> None:
    first = {"apiVersion": "v1", "kind": "Thing", "spec": one}
    assert compare.changes(first, copy.deepcopy(first)) == []
    for change in compare.changes(first, {**first, "spec": other}):
        assert len(change.found) <= compare.LONGEST


@given(st.text())
def test_quantity_never_raises(text: str) -> None:
    compare.quantity(text)
