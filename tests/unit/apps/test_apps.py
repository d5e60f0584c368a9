"""Each kind of workload and exposure as Kubernetes would be told it. UPDATE_GOLDEN=1 rewrites the golden files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from modules.apps import objects
from modules.manifests import Object, find
from modules.topology.model import App
from tests.program import stand_in

GOLDEN = Path(__file__).parent / "golden"
ALL_WAYS = [
    {"clusterip": {}},
    {"nodeport": {"port": 30080}},
    {"loadbalancer": {}},
    {"ingress": {"host": "kubia.example.com"}},
]
CASES: dict[str, dict[str, Any]] = {
    "kubia": {"name": "kubia", "replicas": 3, "expose": ALL_WAYS},
    "sticky": {"name": "sticky", "affinity": "ClientIP", "expose": [{"loadbalancer": {}}, {"ingress": {"path": "/a"}}]},
    "foreign": {
        "name": "web",
        "image": "docker.io/library/nginx:1.29",
        "port": 80,
        "command": ["nginx"],
        "args": ["-g", "daemon off;"],
        "env": {"B": "2", "A": "1"},
        "resources": {"requests": {"cpu": "100m", "memory": "64MiB"}, "limits": {"memory": "128MiB"}},
        "probes": {"ready": "/", "live": "none"},
        "volume": "1GiB at /usr/share/nginx/html",
        "expose": [{"nodeport": {}}],
    },
    "replicaset": {"name": "rs", "workload": "replicaset", "replicas": 2},
    "statefulset": {"name": "db", "workload": "statefulset", "volume": "64MiB at /data", "expose": [{"clusterip": {}}]},
    "daemonset": {"name": "agent", "workload": "daemonset"},
    "job": {"name": "once", "workload": "job", "args": ["version"], "completions": 2, "volume": "64MiB at /data"},
    "cronjob": {"name": "often", "workload": "cronjob", "schedule": "*/2 * * * *", "args": ["version"]},
}


@pytest.fixture(autouse=True)
def _images(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in.put_in_place(monkeypatch)


def app(**keys: Any) -> App:
    return stand_in.lab(apps=[keys]).apps[0]


def rendered(**keys: Any) -> list[Object]:
    return objects(app(**keys))


@pytest.mark.parametrize("case", CASES)
def test_objects_are_the_golden_ones(case: str) -> None:
    text = stand_in.shown(rendered(**CASES[case]))
    file = GOLDEN / f"{case}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()


def test_two_ways_through_one_service_share_it() -> None:
    made = [(o["kind"], o["metadata"]["name"]) for o in rendered(**CASES["kubia"])]
    assert made == [
        ("Deployment", "kubia"),
        ("Service", "kubia"),
        ("Service", "kubia-nodeport"),
        ("Service", "kubia-lb"),
        ("Ingress", "kubia"),
    ]


@pytest.mark.parametrize("image", ["stacklab/echo", "docker.io/stacklab/echo"])
def test_the_projects_own_image_is_the_baked_one(image: str) -> None:
    deployment = find(rendered(name="a", image=image), "Deployment", "a")
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "docker.io/stacklab/echo:v0"


def test_a_tag_that_the_user_wrote_stays() -> None:
    deployment = find(rendered(name="a", image="stacklab/echo:mine"), "Deployment", "a")
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "stacklab/echo:mine"


def test_the_users_environment_wins() -> None:
    deployment = find(rendered(name="a", env={"POD_NAME": "me"}), "Deployment", "a")
    env = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [e for e in env if e["name"] == "POD_NAME"] == [{"name": "POD_NAME", "value": "me"}]


def test_a_rolling_update_keeps_every_pod_until_another_is_ready() -> None:
    spec = find(rendered(name="a"), "Deployment", "a")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    [container] = spec["template"]["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert 0 < pause < spec["template"]["spec"]["terminationGracePeriodSeconds"]


def test_a_replicaset_of_none_is_not_waited_for() -> None:
    assert (
        "annotations" not in find(rendered(name="a", workload="replicaset", replicas=0), "ReplicaSet", "a")["metadata"]
    )
