"""What a student changes in a lab of a class, told; put right without the student's work; started afresh."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from modules.manifests.images import baked
from tests.support.project import Project

CLASS = "lone"
STACK = f"{CLASS}-s01"
TEMPLATE = {
    "backend": "kind",
    "masters": 1,
    "workers": 0,
    "addons": ["calico"],
    "apps": [{"name": "kubia", "replicas": 1, "expose": [{"nodeport": {"port": 30080}}]}],
}
PATCH = {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 7}}}}
STUDENTS = [
    ("added", "student", "ConfigMap", "default/mine"),
    ("added", "student", "Deployment", "default/web"),
]


@pytest.fixture(scope="module")
def school(project: Project) -> Iterator[Project]:
    folder = project.folder / "classes"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "template").mkdir(parents=True)
    stack = {"config": {"stacklab:lab": TEMPLATE}}
    (folder / "template" / "small.yaml").write_text(yaml.safe_dump(stack))
    data = {"roster": [{"id": "s01", "name": "Ada"}], "template": "template/small.yaml"}
    (folder / f"{CLASS}.yaml").write_text(yaml.safe_dump(data))
    yield project
    project.run("stacklab", "class", "down", CLASS, timeout=240).ok()


def drift(school: Project, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit status, and what was found of the one student."""
    quiet = ("sh", "-c", 'exec "$@" 2>/dev/null', "sh")
    ran = school.run(*quiet, "stacklab", "class", "drift", CLASS, *words, "--json", timeout=180)
    [student] = json.loads(ran.output)["students"]
    assert student["error"] == ""
    assert student["notes"] == []
    return ran.code, student["findings"]


def told(findings: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    return [(one["what"], one["owner"], one["kind"], f"{one['namespace']}/{one['name']}") for one in findings]


def test_a_fresh_lab_has_no_drift(school: Project) -> None:
    school.run("stacklab", "class", "up", CLASS, timeout=500).ok()
    assert drift(school) == (0, [])


def test_what_the_student_did_and_nothing_else(school: Project) -> None:
    image = baked("docker.io/stacklab/echo")
    service = school.kubectl(STACK, "get", "services", "-o", "name").ok().output.split()
    [own] = [name for name in service if "kubia" in name]
    school.kubectl(STACK, "create", "configmap", "mine", "--from-literal=a=b").ok()
    school.kubectl(STACK, "create", "deployment", "web", f"--image={image}").ok()
    school.kubectl(STACK, "scale", "deployment/kubia", "--replicas=2").ok()
    # Its fields are kubectl's from then on, and an apply without force would end in a conflict.
    school.kubectl(STACK, "patch", "deployment/kubia", "--patch", json.dumps(PATCH)).ok()
    school.kubectl(STACK, "delete", own).ok()
    code, found = drift(school, "s01")
    assert code == 1
    assert told(found) == [
        ("removed", "lab", "Service", f"default/{own.partition('/')[2]}"),
        ("edited", "lab", "Deployment", "default/kubia"),
        *STUDENTS,
    ]
    assert [(one["path"], one["declared"], one["found"]) for one in found[1]["changes"]] == [
        ("spec.replicas", "1", "2"),
        ("spec.template.spec.terminationGracePeriodSeconds", "30", "7"),
    ]


def test_the_page_tells_it(school: Project) -> None:
    file = school.folder / "drift.html"
    assert school.run("stacklab", "class", "drift", CLASS, "--html", str(file), timeout=180).code == 1
    assert "default/mine" in file.read_text()
    file.unlink()


def test_repair_puts_the_lab_right_and_keeps_the_students_work(school: Project) -> None:
    school.run("stacklab", "class", "repair", CLASS, "s01", timeout=400).ok()
    code, found = drift(school)
    assert (code, told(found)) == (1, STUDENTS)
    assert school.kubectl(STACK, "get", "configmap", "mine", "-o", "jsonpath={.data.a}").ok().output == "b"


def test_reset_asks_first_and_starts_afresh(school: Project) -> None:
    refused = school.run("stacklab", "class", "reset", CLASS, "s01")
    assert refused.code == 2
    assert "--yes" in refused.output
    assert told(drift(school)[1]) == STUDENTS
    school.run("stacklab", "class", "reset", CLASS, "s01", "--yes", timeout=600).ok()
    assert drift(school) == (0, [])


def test_down_leaves_nothing(school: Project) -> None:
    shown = school.run("stacklab", "class", "down", CLASS, timeout=240).ok()
    assert "nothing is left" in shown.output
    school.run("stacklab", "receipt", STACK).ok()
