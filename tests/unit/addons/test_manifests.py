"""Reading, changing and ordering of manifests."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from modules.manifests import Id, ManifestError, change, find, follows, identity, parse, pulumi_token, slim_schemas
from modules.manifests.patch import ask_directly, shell_env, start_quickly, without_init
from tests.program.stand_in import MANIFESTS, crd


def config(name: str, namespace: str = "default") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}}


def test_parse_unfolds_lists_and_leaves_out_what_servers_write() -> None:
    inner = {**config("a"), "status": {"x": 1}}
    inner["metadata"]["creationTimestamp"] = None
    text = yaml.safe_dump_all([{"apiVersion": "v1", "kind": "List", "items": [inner, config("b")]}, None, config("c")])
    found = parse(text, source="x")
    assert [o["metadata"]["name"] for o in found] == ["a", "b", "c"]
    assert found[0] == config("a")


@pytest.mark.parametrize(
    ("text", "problem"),
    [("a: [", "not YAML"), ("kind: Pod\n", "not a Kubernetes object"), ("just text", "not a Kubernetes object")],
)
def test_parse_refuses_what_is_not_objects(text: str, problem: str) -> None:
    with pytest.raises(ManifestError, match=problem):
        parse(text, source="manifest x")


def test_parse_refuses_an_object_that_is_said_twice() -> None:
    with pytest.raises(ManifestError, match="ConfigMap default/a"):
        parse(yaml.safe_dump_all([config("a"), config("a")]), source="x")


def test_change_makes_a_copy_and_fails_when_the_object_is_not_there() -> None:
    before = [config("a"), config("b")]
    after = change(before, "ConfigMap", "a", lambda o: o.update(data={"k": "v"}))
    assert after[0]["data"] == {"k": "v"}
    assert "data" not in before[0]
    with pytest.raises(ManifestError, match="no Secret a"):
        find(before, "Secret", "a")


def test_the_api_server_is_asked_itself_where_it_is_the_only_one() -> None:
    target: dict[str, Any] = {"env": [{"name": "KUBERNETES_SERVICE_PORT", "value": "443"}]}
    ask_directly(target, ("10.0.0.11", 6443))
    said = [
        {"name": "KUBERNETES_SERVICE_PORT", "value": "6443"},
        {"name": "KUBERNETES_SERVICE_HOST", "value": "10.0.0.11"},
    ]
    assert target == {"env": said}
    untouched: dict[str, Any] = {}
    ask_directly(untouched, None)
    assert untouched == {}


def test_shell_env_replaces_in_place_and_appends() -> None:
    target = {"env": [{"name": "A", "valueFrom": {}}, {"name": "B", "value": "1"}]}
    shell_env(target, {"A": "x", "C": "y"})
    assert target["env"] == [
        {"name": "A", "value": "x"},
        {"name": "B", "value": "1"},
        {"name": "C", "value": "y"},
    ]


def _pod() -> dict[str, Any]:
    def one(name: str, *volumes: str) -> dict[str, Any]:
        return {"name": name, "volumeMounts": [{"name": volume, "mountPath": "/x"} for volume in volumes]}

    pod = {
        "initContainers": [one("first", "own", "shared"), one("second", "shared")],
        "containers": [one("main", "kept"), {"name": "bare"}],
        "volumes": [{"name": name} for name in ("own", "shared", "kept", "nobodys")],
    }
    return {**config("x"), "kind": "DaemonSet", "spec": {"template": {"spec": pod}}}


def test_an_initial_container_goes_with_the_volumes_of_its_own() -> None:
    workload = _pod()
    without_init(workload, "first")
    pod = workload["spec"]["template"]["spec"]
    assert [one["name"] for one in pod["initContainers"]] == ["second"]
    assert [volume["name"] for volume in pod["volumes"]] == ["shared", "kept"]


def test_an_initial_container_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ManifestError, match="no container third"):
        without_init(_pod(), "third")


def test_start_quickly_asks_each_second_until_the_first_yes() -> None:
    ask = {"httpGet": {"path": "/metrics", "port": 1}}
    target = {
        "readinessProbe": {**ask, "initialDelaySeconds": 20, "periodSeconds": 10},
        "livenessProbe": {**ask, "initialDelaySeconds": 10, "timeoutSeconds": 9},
    }
    start_quickly(target)
    assert target == {
        "readinessProbe": {**ask, "periodSeconds": 10, "timeoutSeconds": 5},
        "livenessProbe": {**ask, "timeoutSeconds": 9},
        "startupProbe": {**ask, "periodSeconds": 1, "timeoutSeconds": 5, "failureThreshold": 300},
    }


def test_what_machines_wait_for_is_asked_often_afterwards_too() -> None:
    ask = {"httpGet": {"path": "/readiness", "port": 1}}
    target = {"readinessProbe": {**ask, "periodSeconds": 10}}
    start_quickly(target, often=True)
    assert target["readinessProbe"] == {**ask, "periodSeconds": 2, "timeoutSeconds": 5}


def test_slim_schemas_drops_prose_and_keeps_a_property_that_is_named_description() -> None:
    [slim] = slim_schemas([crd("x.io", "as", "A")])
    assert slim["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == {
        "type": "object",
        "properties": {"description": {"type": "string"}},
    }


@pytest.mark.parametrize(
    ("version", "kind", "token"),
    [
        ("v1", "ConfigMap", "kubernetes:core/v1:ConfigMap"),
        ("apps/v1", "Deployment", "kubernetes:apps/v1:Deployment"),
        ("metallb.io/v1beta1", "IPAddressPool", "kubernetes:metallb.io/v1beta1:IPAddressPool"),
    ],
)
def test_pulumi_token(version: str, kind: str, token: str) -> None:
    assert pulumi_token({"apiVersion": version, "kind": kind}) == token


def test_order_is_what_pods_and_custom_resources_need_and_no_more() -> None:
    objects = MANIFESTS["metallb"]()
    pool = {
        "apiVersion": "metallb.io/v1beta1",
        "kind": "IPAddressPool",
        "metadata": {"name": "lab", "namespace": "metallb-system"},
    }
    after = {str(k): [str(i) for i in v] for k, v in follows([pool, *objects]).items()}
    assert after["IPAddressPool metallb-system/lab"] == [
        "CustomResourceDefinition ipaddresspools.metallb.io",
        "Namespace metallb-system",
    ]
    assert after["ServiceAccount metallb-system/controller"] == ["Namespace metallb-system"]
    assert after["ClusterRole metallb-system:controller"] == []
    assert after["ValidatingWebhookConfiguration metallb-webhook-configuration"] == []
    assert "Namespace metallb-system" not in after["Deployment metallb-system/controller"], "implied by the account"
    assert set(after["Deployment metallb-system/controller"]) == {
        "CustomResourceDefinition bgppeers.metallb.io",
        "CustomResourceDefinition ipaddresspools.metallb.io",
        "CustomResourceDefinition l2advertisements.metallb.io",
        "ClusterRole metallb-system:controller",
        "ClusterRoleBinding metallb-system:controller",
        "Secret metallb-system/metallb-webhook-cert",
        "ServiceAccount metallb-system/controller",
    }


KINDS = ("Namespace", "ConfigMap", "Deployment", "CustomResourceDefinition", "Thing", "Service")


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from("ab"), st.sampled_from(("a", "b"))), max_size=12))
def test_order_never_goes_round(parts: list[tuple[str, str, str]]) -> None:
    objects = []
    for kind, name, namespace in dict.fromkeys(parts):
        obj: dict[str, Any] = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}
        if kind == "CustomResourceDefinition":
            obj = crd("x.io", name, "Thing")
        elif kind == "Thing":
            obj["apiVersion"] = "x.io/v1"
        if kind not in ("Namespace", "CustomResourceDefinition"):
            obj["metadata"]["namespace"] = namespace
        objects.append(obj)
    objects = list({identity(o): o for o in objects}.values())
    after = follows(objects)
    assert list(after) == [identity(o) for o in objects]
    done: set[Id] = set()
    left = dict(after)
    while left:
        free = [i for i, before in left.items() if set(before) <= done]
        assert free, f"these wait for each other: {left}"
        for i in free:
            done.add(i)
            del left[i]
