"""Four students with labs of their own side by side; one of them breaks what it can.

Each test goes on from where the one before left the labs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support import classes
from tests.support.project import Project

pytestmark = [pytest.mark.alone, pytest.mark.long]
CLASS = "quartet"
STUDENTS = ("s01", "s02", "s03", "s04")
BROKEN = "s03"


@pytest.fixture(scope="module")
def school(project: Project) -> Iterator[Project]:
    folder = project.folder / "classes"
    (folder / "template").mkdir(parents=True, exist_ok=True)
    (folder / "template" / "four.yaml").write_text(yaml.safe_dump({"config": {"stacklab:lab": classes.OWN}}))
    data = {"roster": [{"id": one} for one in STUDENTS], "template": "template/four.yaml"}
    (folder / f"{CLASS}.yaml").write_text(yaml.safe_dump(data))
    yield project
    project.run("stacklab", "class", "down", CLASS, timeout=400).ok()


def told(school: Project, verb: str, *words: str) -> tuple[int, dict[str, Any]]:
    """The exit status of a command, and what it tells programs of each student."""
    quiet = ("sh", "-c", 'exec "$@" 2>/dev/null', "sh")
    ran = school.run(*quiet, "stacklab", "class", verb, CLASS, *words, "--json", timeout=900)
    return ran.code, {row["id"]: row for row in json.loads(ran.output)["students"]}


def owners(found: dict[str, Any], student: str) -> list[str]:
    return [f"{one['what']} {one['owner']} {one['kind']}" for one in found[student]["findings"]]


def test_everybodys_lab_is_made_and_reached(school: Project) -> None:
    code, made = told(school, "up")
    assert (code, {one: row["state"] for one, row in made.items()}) == (0, dict.fromkeys(STUDENTS, "done"))
    school.run("stacklab", "class", "verify", CLASS, timeout=300).ok()


def test_who_breaks_a_lab_breaks_nobody_elses(school: Project) -> None:
    stack = f"{CLASS}-{BROKEN}"
    school.kubectl(stack, "delete", "deployment/kubia").ok()
    school.kubectl(stack, "--namespace=kube-system", "delete", "daemonset/calico-node").ok()
    school.kubectl(stack, "create", "configmap", "mine", "--from-literal=a=b").ok()
    assert school.run("stacklab", "class", "verify", CLASS, "--only", BROKEN, "--timeout", "20", timeout=200).code == 1
    others = [one for one in STUDENTS if one != BROKEN]
    school.run("stacklab", "class", "verify", CLASS, "--only", ",".join(others), timeout=300).ok()


def test_drift_tells_whose_lab_it_was(school: Project) -> None:
    code, found = told(school, "drift")
    assert code == 1
    assert owners(found, BROKEN) == [
        "removed lab DaemonSet",
        "removed lab Deployment",
        "added student ConfigMap",
    ]
    assert [one for one in STUDENTS if found[one]["findings"]] == [BROKEN]


def test_repair_makes_it_whole_and_keeps_the_students_own(school: Project) -> None:
    school.run("stacklab", "class", "repair", CLASS, BROKEN, timeout=600).ok()
    school.run("stacklab", "class", "verify", CLASS, timeout=300).ok()
    assert owners(told(school, "drift")[1], BROKEN) == ["added student ConfigMap"]


def test_down_leaves_nothing(school: Project) -> None:
    school.run("stacklab", "class", "down", CLASS, timeout=400).ok()
    for one in STUDENTS:
        school.run("stacklab", "receipt", f"{CLASS}-{one}").ok()
