"""The teacher's page with --admin as a person sees it: the real command and Chromium, in front of stand-ins.

UPDATE_SCREENSHOT=1 rewrites docs/class.png.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from modules.base.probe import Answer, wait_for
from tests.support import overview
from tests.support.browser import chromium, opened
from tests.support.dashboard import Running
from tests.support.project import CHECKOUT
from tests.support.servers.kubernetes import Kubernetes

SCREENSHOT = CHECKOUT / "docs" / "class.png"
EVIL = "<img src=x onerror=\"document.title='taken'\">"


def finding(what: str, owner: str, name: str, **more: Any) -> dict[str, Any]:
    return {"what": what, "owner": owner, "kind": "Deployment", "namespace": "default", "name": name, **more}


DRIFT = {
    "s01": [
        finding("edited", "lab", "kubia", changes=[["spec.replicas", "3", "1"]]),
        finding("edited", "lab", "traefik"),
        finding("removed", "lab", "gone"),
        finding("added", "student", "mine"),
    ],
    "s03": "the lab does not answer",
}


@dataclass
class School:
    """The file of tests.support.overview."""

    file: Path
    data: dict[str, Any] = field(default_factory=dict)

    def describe(self, **changed: Any) -> None:
        self.data |= changed
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps(self.data))
        fresh.replace(self.file)

    def go(self, student: str) -> None:
        self.file.with_suffix(f".go-{student}").touch()

    def did(self) -> list[str]:
        file = self.file.with_suffix(".did")
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with Kubernetes(tmp_path / "api") as api:
        api.add_node("machine", "10.0.0.2", cpu="500m", memory="1Gi")
        api.add_pod("kubia-1", "machine", namespace="default", cpu="10m", memory="64Mi")
        made = School(tmp_path / "class.json")
        rows = [
            {"id": "s01", "name": "Ada Lovelace"},
            {"id": "s02", "name": "Alan Turing"},
            {"id": "s03", "name": "Grace Hopper"},
            {"id": "s04", "name": "Edsger Dijkstra", "state": "not made", "since": ""},
        ]
        made.describe(
            name="cka", title="Autumn 2026", admin=True, kubeconfig=str(api.kubeconfig), rows=rows, drift=DRIFT, bad={}
        )
        yield made


@pytest.fixture
def command(school: School) -> Iterator[Running]:
    with overview.started(school.file) as running:
        yield running


@pytest.fixture
def page(browser: Browser, command: Running) -> Iterator[Page]:
    with opened(browser, command.url) as made:
        expect(row(made, "s01")).to_contain_text("all well")
        yield made


def row(page: Page, student: str) -> Locator:
    return page.locator(f"[data-student={student}]")


def button(page: Page, action: str, student: str) -> Locator:
    return page.get_by_role("button", name=f"{action} {student}", exact=True)


def test_a_repair_is_followed_to_its_end(page: Page, school: School) -> None:
    button(page, "repair", "s01").click()
    task = row(page, "s01").locator("[data-task]")
    expect(task).to_contain_text("repair: under way")
    expect(task).to_contain_text("addons and apps")
    for action in ("verify", "repair", "reset", "up"):
        expect(button(page, action, "s01")).to_be_disabled()
        expect(button(page, action, "s02")).to_be_enabled()
    assert school.did() == ["repair s01"]
    school.go("s01")
    expect(task).to_contain_text("repair: done")
    expect(button(page, "repair", "s01")).to_be_enabled()


def test_what_changes_labs_waits_its_turn_and_a_verify_does_not(page: Page, school: School) -> None:
    button(page, "up", "s01").click()
    expect(row(page, "s01")).to_contain_text("up: under way")
    button(page, "repair", "s02").click()
    expect(row(page, "s02")).to_contain_text("repair: waits")
    button(page, "verify", "s03").click()
    expect(row(page, "s03")).to_contain_text("verify: under way")
    assert sorted(school.did()) == ["up s01", "verify s03"]
    school.go("s01")
    expect(row(page, "s02")).to_contain_text("repair: under way")


def test_what_fails_says_why_as_text(page: Page, school: School) -> None:
    school.describe(bad={"s02": f"no network is free {EVIL}"})
    school.go("s02")
    button(page, "verify", "s02").click()
    task = row(page, "s02").locator("[data-task=failed]")
    expect(task).to_contain_text(f"no network is free {EVIL}")
    expect(page).to_have_title("cka · stacklab")


def test_a_reset_wants_the_students_id(page: Page, school: School) -> None:
    dialog, yes = page.get_by_role("dialog", name="Reset s02?"), page.get_by_role("button", name="Remove and make anew")
    button(page, "reset", "s02").click()
    expect(dialog).to_be_visible()
    expect(yes).to_be_disabled()
    for wrong in ("s0", "s01", "S02", "s02 "):
        page.get_by_label("Type s02").fill(wrong)
        expect(yes).to_be_disabled()
    page.get_by_label("Type s02").press("Enter")
    page.get_by_role("button", name="Leave it").click()
    expect(dialog).to_be_hidden()
    button(page, "reset", "s02").click()
    expect(page.get_by_label("Type s02")).to_have_value("")
    page.get_by_label("Type s02").fill("s02")
    yes.click()
    expect(row(page, "s02")).to_contain_text("reset: under way")
    assert school.did() == ["reset s02"]


def test_only_what_can_be_done_is_offered(page: Page) -> None:
    for action, can in (("verify", False), ("repair", False), ("up", True)):
        assert button(page, action, "s04").is_enabled() is can


def test_a_refusal_of_the_server_is_shown(browser: Browser, command: Running, school: School) -> None:
    with opened(browser, command.url, expected="409") as one, opened(browser, command.url) as other:
        button(one, "up", "s01").click()
        expect(button(other, "up", "s01")).to_be_disabled()
        # A page that is behind by a moment.
        other.evaluate("document.getElementById('up-s01').disabled = false")
        one.evaluate("ask('s01', 'repair')")
        expect(one.get_by_role("alert")).to_contain_text("s01 is busy: up")
    assert school.did() == ["up s01"]


def test_drift_in_its_column_and_on_its_page(page: Page, school: School) -> None:
    column = row(page, "s01").locator("[data-drift]")
    expect(column.locator("[data-owner=lab]")).to_have_text("lab: 1 removed, 2 edited")
    expect(column.locator("[data-owner=student]")).to_have_text("own: 1 added")
    expect(column).to_contain_text("just now")
    expect(row(page, "s02").locator("[data-drift]")).to_contain_text("as declared")
    expect(row(page, "s03").locator("[data-drift]")).to_contain_text("not seen")
    assert row(page, "s04").locator("[data-drift]").inner_text() == ""
    school.describe(drift={**DRIFT, "s02": [finding("added", "student", EVIL)]})
    expect(row(page, "s02").locator("[data-owner=student]")).to_have_text("own: 1 added")
    page.get_by_role("link", name="drift of s01").click()
    expect(page).to_have_title("cka: what changed · stacklab")
    expect(page.locator("main")).to_contain_text("spec.replicas: 3 → 1")
    expect(page.locator("body")).to_have_css("background-color", "rgb(244, 246, 249)")


def test_the_proof_is_no_token_and_a_page_to_look_at_has_none(
    browser: Browser, page: Page, command: Running, school: School
) -> None:
    token = command.url.partition("token=")[2]
    assert token not in page.content()
    proof = page.locator("meta[name=stacklab-proof]").get_attribute("content")
    school.describe(admin=False)
    with overview.started(school.file) as plain, opened(browser, plain.url, expected="403") as reading:
        expect(row(reading, "s01").locator("[data-owner=lab]")).to_be_visible()
        assert reading.locator("button, dialog, meta[name=stacklab-proof]").count() == 0
        status = reading.evaluate(
            "proof => fetch('do', {method: 'POST', headers: {'Content-Type': 'application/json', "
            "'X-Stacklab-Proof': proof}, body: JSON.stringify({student: 's01', action: 'up'})}).then(a => a.status)",
            proof,
        )
        assert status == 403
    assert school.did() == []


def test_a_page_of_another_port_cannot_ask(browser: Browser, command: Running, school: School) -> None:
    """Browsers send cookies of 127.0.0.1 to all its ports."""
    place = f"http://127.0.0.1:{command.port}"
    with httpx.Client(trust_env=False) as client:
        client.get(command.url)
        proof = re.findall(r'stacklab-proof" content="(\w+)"', client.get(f"{place}/").text)[0]
        asked = {"student": "s01", "action": "up"}
        for headers in (
            {"Origin": place},
            {"X-Stacklab-Proof": proof},
            {"X-Stacklab-Proof": proof, "Origin": "http://127.0.0.1:1"},
            {"X-Stacklab-Proof": proof, "Origin": "null"},
        ):
            assert client.post(f"{place}/do", json=asked, headers=headers).status_code == 403
        good = {"X-Stacklab-Proof": proof, "Origin": place}
        assert client.post(f"{place}/do", json=asked, headers=good).status_code == 202


def test_ctrl_c_ends_what_is_under_way_and_the_terminal_has_told_it_all(
    page: Page, command: Running, school: School
) -> None:
    button(page, "verify", "s02").click()
    school.go("s02")
    expect(row(page, "s02")).to_contain_text("verify: done")
    button(page, "up", "s01").click()
    expect(row(page, "s01")).to_contain_text("up: under way")
    button(page, "repair", "s03").click()
    expect(row(page, "s03")).to_contain_text("repair: waits")
    page.goto("about:blank")
    code, said = command.interrupt()
    assert code == 0
    told = [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in said.splitlines()]
    for line in (
        "s02 verify: asked for on the page",
        "s02 verify: done",
        "s01 up: asked for on the page",
        "under way: s01, s03; ending after their step, Ctrl-C ends them at once",
        "s03 repair: failed, not begun",
        "s01 up: failed, interrupted",
        "cka: the page has ended",
    ):
        assert told.count(line) == 1 or told.count(line.replace("s01, s03", "s03, s01")) == 1, (line, said)
    assert command.url.partition("token=")[2] not in said
    assert "repair s03" not in school.did()


@pytest.mark.parametrize("dark", [False, True])
def test_on_a_phone(browser: Browser, command: Running, dark: bool) -> None:
    with opened(browser, command.url, width=360, height=740, dark=dark) as page:
        expect(row(page, "s01")).to_contain_text("all well")
        button(page, "reset", "s01").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_its_picture(page: Page, school: School, tmp_path: Path) -> None:
    """What docs/class.md shows."""
    page.set_viewport_size({"width": 1280, "height": 480})
    expect(row(page, "s01").locator("[data-owner=lab]")).to_be_visible()
    school.go("s02")
    button(page, "verify", "s02").click()
    expect(row(page, "s02")).to_contain_text("verify: done")
    button(page, "repair", "s01").click()
    button(page, "up", "s04").click()
    expect(row(page, "s04")).to_contain_text("up: waits")
    expect(row(page, "s03").locator("[data-drift]")).to_contain_text("not seen")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    file = SCREENSHOT if os.environ.get("UPDATE_SCREENSHOT") else tmp_path / "class.png"
    page.screenshot(path=file, full_page=True)
    assert file.read_bytes().startswith(b"\x89PNG")
    assert 20_000 < file.stat().st_size < 200_000
    assert SCREENSHOT.stat().st_size < 200_000


def test_nothing_is_read_while_nobody_looks(command: Running, school: School) -> None:
    with httpx.Client(trust_env=False) as client:
        client.get(command.url)
        shown = client.get(f"http://127.0.0.1:{command.port}/").text
    assert "data-student" not in shown
    wait_for("the page is there", lambda: Answer("reading the class" in shown or None, shown), timeout=1)
