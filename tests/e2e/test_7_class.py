"""A class of two on this machine, from plan to an empty receipt; one of them killed on the way."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import expect

from modules.base.probe import Answer, wait_for
from tests.support.browser import chromium, opened
from tests.support.project import CHECKOUT, Project, kill_group

CLASS = "pair"
TEMPLATE = {
    "backend": "kind",
    "masters": 1,
    "workers": 0,
    "addons": ["calico"],
    "apps": [{"name": "kubia", "expose": [{"nodeport": {"port": 30080}}]}],
}


@pytest.fixture(scope="module")
def school(project: Project) -> Iterator[Project]:
    folder = project.folder / "classes"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "template").mkdir()
    stack = {"config": {"stacklab:lab": TEMPLATE}}
    (folder / "template" / "small.yaml").write_text(yaml.safe_dump(stack))
    (folder / "pair.csv").write_text("id,name\ns01,Ada\ns02,Alan\n")
    data = {"roster": "pair.csv", "template": "template/small.yaml", "limits": {"parallel": 2}}
    (folder / f"{CLASS}.yaml").write_text(yaml.safe_dump(data))
    yield project
    project.run("stacklab", "class", "down", CLASS, timeout=240).ok()


def told(school: Project, *words: str, timeout: float = 300) -> dict[str, object]:
    """What a command prints for programs."""
    shown = school.run(
        "sh", "-c", 'exec "$@" 2>/dev/null', "sh", "stacklab", "class", *words, "--json", timeout=timeout
    )
    found: dict[str, object] = json.loads(shown.output)
    return found


def states(school: Project) -> dict[str, str]:
    students = told(school, "status", CLASS)["students"]
    assert isinstance(students, list)
    return {row["id"]: row["state"] for row in students}


def test_the_plan_makes_nothing(school: Project) -> None:
    plan = told(school, "plan", CLASS)
    assert plan["fits"] is True
    assert states(school) == {"s01": "not made", "s02": "not made"}
    assert not (school.folder / "classes" / f"{CLASS}.places.yaml").exists()


def known(school: Project) -> list[str]:
    """Stacks that Pulumi knows, files of stacks, and what is left aside."""
    stacks = json.loads(school.run("sh", "-c", "pulumi stack ls --json 2>/dev/null").ok().output)
    folders = (school.folder / "stacks", school.folder / ".stacklab" / "labs", school.folder / ".stacklab" / "scratch")
    found = [path.name for folder in folders for path in folder.glob("*") if CLASS in path.name or "aside" in path.name]
    return sorted([*(stack["name"] for stack in stacks if CLASS in stack["name"]), *found])


def test_a_preview_of_labs_that_are_not_there_leaves_nothing_also_when_interrupted(school: Project) -> None:
    looks = told(school, "preview", CLASS)["students"]
    assert isinstance(looks, list)
    assert [(look["state"], look["new"], sorted(look["changes"])) for look in looks] == [("done", True, ["create"])] * 2
    assert known(school) == []
    running = school.start("stacklab", "class", "preview", CLASS)
    scratch = school.folder / ".stacklab" / "scratch"
    stacks = "aside-*/state/.pulumi/stacks/stacklab/*.json"
    wait_for("it is under way", lambda: Answer(list(scratch.glob(stacks)) or None, ""), timeout=60)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode == 130
    assert known(school) == []


def test_a_killed_command_is_gone_on_with_by_the_same_one(school: Project) -> None:
    running = school.start("stacklab", "class", "up", CLASS)
    files = [school.folder / ".stacklab" / "labs" / f"{CLASS}-{one}" for one in ("s01", "s02")]
    wait_for(
        "both labs are begun",
        lambda: Answer(all(file.exists() for file in files) or None, f"{files}, ended: {running.poll()}"),
        timeout=120,
    )
    held = school.run("stacklab", "class", "down", CLASS)
    assert held.code == 2
    assert f"process {running.pid}" in held.output
    kill_group(running)
    assert "half made" in states(school).values()
    school.run("stacklab", "class", "up", CLASS, timeout=400).ok()
    assert states(school) == {"s01": "up", "s02": "up"}


def test_a_preview_of_labs_that_are_up_says_what_an_edit_of_the_class_would_do(school: Project) -> None:
    before = known(school)
    states_of = {file: file.read_bytes() for file in (school.folder / ".stacklab" / "state").rglob(f"{CLASS}-*.json")}
    assert len(states_of) >= 2
    assert school.run("stacklab", "class", "preview", CLASS, "--expect-no-changes").ok()
    file = school.folder / "classes" / f"{CLASS}.yaml"
    data = yaml.safe_load(file.read_text())
    apps = [{"name": "kubia", "replicas": 2, "expose": [{"nodeport": {"port": 30080}}]}]
    file.write_text(yaml.safe_dump({**data, "overrides": {"s02": {"apps": apps}}}))
    looks = told(school, "preview", CLASS)["students"]
    file.write_text(yaml.safe_dump(data))
    assert isinstance(looks, list)
    assert [set(look["changes"]) for look in looks] == [{"same"}, {"same", "update"}]
    assert known(school) == before
    assert {file: file.read_bytes() for file in states_of} == states_of


def test_everybody_has_a_lab_of_their_own(school: Project) -> None:
    seen = [school.outputs(f"{CLASS}-{one}")["machines"][0]["address"] for one in ("s01", "s02")]
    assert seen == ["10.208.1.11", "10.208.2.11"]
    checked = told(school, "verify", CLASS)
    assert checked["ok"] is True


def test_the_teachers_page_shows_everybody(school: Project) -> None:
    command = school.start("stacklab", "class", "serve", CLASS, "--no-browser", "--admin")
    assert command.stdout is not None
    url = command.stdout.readline().strip()
    try:
        assert url.startswith("http://127.0.0.1:"), url + command.stdout.read()
        with chromium() as browser, opened(browser, url) as page:
            expect(page.locator("[data-state=up]")).to_have_text("2 up", timeout=60_000)
            for one in ("s01", "s02"):
                line = page.locator(f"[data-student={one}]")
                expect(line).to_contain_text("all well", timeout=120_000)
                expect(line.get_by_role("link", name="kubia nodeport")).to_be_visible()
                expect(line.locator("[data-drift]")).to_contain_text("as declared", timeout=120_000)
            school.kubectl(f"{CLASS}-s02", "scale", "deployment", "kubia", "--replicas=0").ok()
            for action, one in (("verify", "s01"), ("repair", "s02")):
                page.get_by_role("button", name=f"{action} {one}", exact=True).click()
            for action, one in (("verify", "s01"), ("repair", "s02")):
                expect(page.locator(f"[data-student={one}]")).to_contain_text(f"{action}: done", timeout=200_000)
            shown = school.kubectl(f"{CLASS}-s02", "get", "deployment", "kubia", "--output=jsonpath={.spec.replicas}")
            assert shown.ok().output != "0"
    finally:
        command.send_signal(signal.SIGINT)
        said, _ = command.communicate(timeout=60)
    assert command.returncode == 0, said
    assert "s02 repair: done" in said


def test_ctrl_c_ends_cleanly_and_a_second_up_changes_nothing(school: Project) -> None:
    again = told(school, "up", CLASS)
    assert isinstance(again["students"], list)
    assert {row["state"] for row in again["students"]} == {"done"}
    running = school.start("stacklab", "class", "up", CLASS, "--only", "s01")
    lock = school.folder / ".stacklab" / "classes" / CLASS / "lock"
    wait_for("it works", lambda: Answer(lock.read_text() or None, ""), timeout=60)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=90)
    assert running.returncode == 130
    school.run("stacklab", "class", "up", CLASS, "--only", "s01", timeout=200).ok()


def test_down_leaves_nothing(school: Project) -> None:
    shown = school.run("stacklab", "class", "down", CLASS, timeout=240).ok()
    assert "nothing is left" in shown.output
    assert states(school) == {"s01": "not made", "s02": "not made"}
    left = [path.name for path in (school.folder / "stacks").iterdir() if CLASS in path.name]
    assert left == []
    for one in ("s01", "s02"):
        school.run("stacklab", "receipt", f"{CLASS}-{one}").ok()
    places = yaml.safe_load((school.folder / "classes" / f"{CLASS}.places.yaml").read_text())
    assert places["students"] == {"s01": {"place": 1}, "s02": {"place": 2}}
    assert Path(CHECKOUT / "stacks" / f"Pulumi.{CLASS}-s01.yaml").exists() is False
