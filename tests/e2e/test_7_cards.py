"""Cards of a class of one: credentials that work, are refused once taken back, and go when the class is over."""

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

from tests.support.project import Project, Ran

CLASS = "solo"
TEMPLATE = {
    "backend": "kind",
    "masters": 1,
    "workers": 0,
    "addons": ["calico"],
    "apps": [{"name": "kubia", "expose": [{"nodeport": {"port": 30081}}]}],
}
REFUSED = "You must be logged in to the server"
DATA: dict[str, Any] = {"roster": [{"id": "s01", "name": "Ada <b>Lovelace</b>"}], "template": "template/solo.yaml"}


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
    project.run("stacklab", "class", "up", CLASS, timeout=400).ok()
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
