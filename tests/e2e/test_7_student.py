"""One student of a class: what was changed, told and put right; credentials given, taken back; the end of the class.

Each test goes on from where the one before left the lab.
"""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from modules.manifests.images import baked
from tests.support.project import Project, Ran

CLASS = "solo"
STACK = f"{CLASS}-s01"
TEMPLATE = {
    "backend": "kind",
    "masters": 1,
    "workers": 0,
    "addons": ["calico"],
    "apps": [{"name": "kubia", "replicas": 1, "expose": [{"nodeport": {"port": 30081}}]}],
}
DATA: dict[str, Any] = {"roster": [{"id": "s01", "name": "Ada <b>Lovelace</b>"}], "template": "template/solo.yaml"}
PATCH = {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 7}}}}
STUDENTS = [
    ("added", "student", "ConfigMap", "default/mine"),
    ("added", "student", "Deployment", "default/web"),
]
REFUSED = "You must be logged in to the server"


def class_file(school: Project, **more: Any) -> Path:
    file = school.folder / "classes" / f"{CLASS}.yaml"
    file.write_text(yaml.safe_dump({**DATA, **more}))
    return file


@pytest.fixture(scope="module")
def school(project: Project) -> Iterator[Project]:
    folder = project.folder / "classes"
    (folder / "template").mkdir(parents=True, exist_ok=True)
    (folder / "template" / "solo.yaml").write_text(yaml.safe_dump({"config": {"stacklab:lab": TEMPLATE}}))
    class_file(project)
    yield project
    class_file(project)
    project.run("stacklab", "class", "down", CLASS, timeout=240).ok()
    for file in folder.glob(f"{CLASS}.*"):
        if file.is_file():
            file.unlink()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a student who was shut out has still."""
    return tmp_path_factory.mktemp("kept") / "kubeconfig"


def given(school: Project) -> Path:
    return school.folder / "classes" / f"{CLASS}.cards"


def as_student(school: Project, kubeconfig: Path, *words: str) -> Ran:
    return school.run("kubectl", "--kubeconfig", str(kubeconfig), "--request-timeout=20s", *words)


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


def test_a_students_credentials_work(school: Project, kept: Path) -> None:
    ran = school.run("stacklab", "class", "cards", CLASS).ok()
    assert "1 of 1 cards" in ran.output
    kubeconfig = given(school) / "s01" / "kubeconfig"
    who = json.loads(as_student(school, kubeconfig, "auth", "whoami", "-o", "json").ok().output)
    assert who["status"]["userInfo"]["username"] == "system:serviceaccount:stacklab-access:s01"
    assert "Ready" in as_student(school, kubeconfig, "get", "nodes").ok().output
    token = yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]["token"]
    assert token not in ran.output
    shutil.copy(kubeconfig, kept)


def test_only_the_owner_sees_them_and_pages_hold_no_secret(school: Project) -> None:
    here = given(school)
    modes = {str(path.relative_to(here)): stat.S_IMODE(path.stat().st_mode) for path in here.rglob("*")}
    assert modes == {"s01": 0o700, "s01/kubeconfig": 0o600, "s01/card.html": 0o600, "cards.html": 0o600}
    assert stat.S_IMODE(here.stat().st_mode) == 0o700
    token = yaml.safe_load((here / "s01" / "kubeconfig").read_text())["users"][0]["user"]["token"]
    for page in (here / "cards.html", here / "s01" / "card.html"):
        text = page.read_text()
        assert token not in text
        assert "Ada &lt;b&gt;Lovelace&lt;/b&gt;" in text
        assert ":30081/" in text
        assert "<svg" in text


def test_what_a_card_rests_on_is_no_drift(school: Project) -> None:
    assert drift(school) == (0, [])


def test_cards_again_change_nothing(school: Project, kept: Path) -> None:
    school.run("stacklab", "class", "cards", CLASS).ok()
    assert (given(school) / "s01" / "kubeconfig").read_text() == kept.read_text()
    # Ours by their labels, and nothing that Pulumi would touch.
    school.run("stacklab", "class", "up", CLASS, timeout=300).ok()
    as_student(school, kept, "get", "nodes").ok()


def test_revoked_credentials_are_refused(school: Project, kept: Path) -> None:
    as_student(school, kept, "get", "nodes").ok()
    ran = school.run("stacklab", "class", "revoke", CLASS, "s01", timeout=180).ok()
    assert "the token is refused" in ran.output
    refused = as_student(school, kept, "get", "nodes")
    assert refused.code != 0
    assert REFUSED in refused.output
    assert not given(school).exists()


def test_cards_after_a_revoke_are_new_ones(school: Project, kept: Path) -> None:
    school.run("stacklab", "class", "cards", CLASS).ok()
    as_student(school, given(school) / "s01" / "kubeconfig", "get", "nodes").ok()
    assert REFUSED in as_student(school, kept, "get", "nodes").output


def test_a_class_that_is_over_is_reaped(school: Project) -> None:
    class_file(school, expires=date.today().isoformat())
    stays = school.run("stacklab", "class", "reap", CLASS).ok()
    assert "kept" in stays.output
    class_file(school, expires=(date.today() - timedelta(days=1)).isoformat())
    told = school.run("stacklab", "class", "reap", CLASS, "--dry-run").ok()
    assert "1 lab and 1 card" in told.output
    assert given(school).exists()
    school.run("stacklab", "class", "reap", CLASS, timeout=240).ok()
    assert not given(school).exists()
    assert [path.name for path in (school.folder / "stacks").iterdir() if CLASS in path.name] == []
    school.run("stacklab", "receipt", f"{CLASS}-s01").ok()
    again = school.run("stacklab", "class", "reap", CLASS).ok()
    assert "nothing to do" in again.output
