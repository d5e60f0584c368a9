"""Outputs and stack file into a lab, and the lab into rows and JSON: pure."""

from __future__ import annotations

import random
from typing import Any

import pytest

from modules.base.errors import StacklabError
from modules.topology import promises
from modules.verify import report
from modules.verify.apps import is_echo
from modules.verify.finding import Finding
from modules.verify.lab import App, Machine, enough_requests, forwarded, read

KUBIA = App("kubia", "deployment", 3, sticky=False, echo=True, volume=False)
OUTPUTS: dict[str, Any] = {
    "kubeconfigFile": "/labs/dev/kubeconfig",
    "machines": [{"name": "m-worker", "role": "worker", "address": "10.200.1.21", "ssh": ""}],
    "exposures": [
        {"app": "kubia", "kind": "clusterip", "command": "kubectl port-forward service/kubia 8080:80", "port": 80},
        {"app": "kubia", "kind": "loadbalancer", "url": "http://10.200.1.200/", "address": "10.200.1.200", "port": 80},
        {
            "app": "gone",
            "kind": "ingress",
            "url": "http://gone.example.com/shop",
            "host": "gone.example.com",
            "address": "10.200.1.201",
            "port": None,
        },
    ],
}


def test_a_lab_from_its_outputs() -> None:
    lab = read("dev", OUTPUTS, [KUBIA], frozenset({"metrics"}))
    assert lab.machines == (Machine("m-worker", "worker", "10.200.1.21"),)
    assert [e.app.name for e in lab.exposures] == ["kubia", "kubia", "gone"]
    assert lab.exposures[1].target == "http://10.200.1.200:80/"
    assert lab.exposures[2].target == "http://10.200.1.201:80/shop"
    assert lab.exposures[2].app.echo is False
    assert [e.shown for e in lab.exposures] == [
        "kubectl port-forward service/kubia 8080:80",
        "http://10.200.1.200/",
        "http://gone.example.com/shop",
    ]


@pytest.mark.parametrize(
    ("outputs", "part"),
    [
        ({}, "has no running lab"),
        ({"kubeconfigFile": ""}, "has no running lab"),
        ({"kubeconfigFile": "/k", "exposures": [{"app": "a", "kind": "carrier-pigeon"}]}, "carrier-pigeon"),
    ],
)
def test_outputs_that_are_no_lab(outputs: dict[str, Any], part: str) -> None:
    with pytest.raises(StacklabError, match=part):
        read("dev", outputs, [])


def test_the_printed_command_gets_a_free_port() -> None:
    words, service, port = forwarded("kubectl --kubeconfig '/a b/k' -n default port-forward svc/kubia 8080:80")
    assert words == ["kubectl", "--kubeconfig", "/a b/k", "-n", "default", "port-forward", "svc/kubia", ":80"]
    assert (service, port) == ("kubia", 80)


@pytest.mark.parametrize(
    "command", ["", "kubectl port-forward pod/x 1:2", "kubectl get service/x 1:2", "x port-forward service/x"]
)
def test_commands_that_forward_nothing(command: str) -> None:
    with pytest.raises(StacklabError, match="not a port-forward command"):
        forwarded(command)


def test_enough_requests_see_every_pod() -> None:
    dice = random.Random(1)  # noqa: S311
    for pods in (1, 2, 3, 10):
        for _ in range(200):
            assert {dice.randrange(pods) for _ in range(enough_requests(pods))} == set(range(pods))
    assert enough_requests(0) == enough_requests(1) == 3
    assert enough_requests(3) < 60


@pytest.mark.parametrize(
    ("image", "echo"),
    [
        ("stacklab/echo", True),
        ("stacklab/echo:0.1.0", True),
        ("docker.io/stacklab/echo:0.1.0", True),
        ("stacklab/echo@sha256:abc", True),
        ("docker.io/library/nginx:1", False),
        ("evil.example.com/stacklab/echo", False),
        ("localhost:5000/stacklab/echo", False),
        ("echo", False),
    ],
)
def test_which_images_answer_as_echo(image: str, echo: bool) -> None:
    assert is_echo(image) is echo


FOUND = [
    Finding("nodes", "d", True, "3 nodes Ready", 0.1234),
    Finding("dns", "d", False, "no answer", 90.0, "kubectl logs"),
]


def test_rows() -> None:
    assert report.check_rows(FOUND) == [
        ["nodes", "ok", "0.1", "3 nodes Ready"],
        ["dns", "failed", "90.0", "no answer\nnext: kubectl logs"],
    ]
    rows = report.address_rows(read("dev", OUTPUTS, [KUBIA]))
    assert rows[1] == ["kubia", "loadbalancer", "http://10.200.1.200/", "10.200.1.200", ""]


def test_json() -> None:
    data = report.as_data(read("dev", OUTPUTS, [KUBIA]), FOUND)
    assert data["ok"] is False
    assert data["checks"][0] == {
        "name": "nodes", "description": "d", "ok": True, "evidence": "3 nodes Ready", "seconds": 0.12, "hint": "",
    }  # fmt: skip
    assert data["exposures"][1] == {
        "app": "kubia", "kind": "loadbalancer", "url": "http://10.200.1.200/", "command": "", "host": "",
        "address": "10.200.1.200", "port": 80,
    }  # fmt: skip
    assert report.as_data(read("dev", OUTPUTS, []), FOUND[:1])["ok"] is True
    assert data["notes"] == []
    of_kind = read("dev", OUTPUTS, [KUBIA], backend="kind")
    assert report.as_data(of_kind, FOUND)["notes"] == list(promises.notes("kind"))


def test_the_last_lines_say_what_differs_on_the_backend() -> None:
    of_kind = read("dev", OUTPUTS, [KUBIA], backend="kind")
    assert report.last_lines(of_kind, FOUND, 1.25) == [promises.summary("kind"), "dev: 1 of 2 checks ok in 1.2 s"]
    assert report.last_lines(read("dev", OUTPUTS, []), FOUND, 1.25) == ["dev: 1 of 2 checks ok in 1.2 s"]
