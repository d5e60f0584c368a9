"""The dashboard of the shared lab, in a browser: what it shows, that it follows the lab, and that it ends."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import chromium, opened
from tests.support.labs import Lab

GREEN = "[data-way][data-ok=true]"
SOON = 120_000
"""Milliseconds: metrics-server needs about half a minute after an up, and the machine may be busy."""


@pytest.fixture(scope="module")
def page(lab: Lab) -> Iterator[Page]:
    """The page of the real command; at the end it is interrupted, and must have gone."""
    command = lab.project.start("stacklab", "dashboard", lab.stack, "--no-browser")
    assert command.stdout is not None
    url = command.stdout.readline().strip()
    try:
        assert url.startswith("http://127.0.0.1:"), url + command.stdout.read()
        with chromium() as browser, opened(browser, url) as made:
            made.set_default_timeout(SOON)
            yield made
    finally:
        command.send_signal(signal.SIGINT)
        said, _ = command.communicate(timeout=60)
    assert command.returncode == 0, said
    assert "the dashboard has ended" in said
    assert url.partition("token=")[2] not in said
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=5)


def test_every_machine_is_there_with_its_figures(lab: Lab, page: Page) -> None:
    for machine in lab.outputs()["machines"]:
        card = page.locator(f"[data-machine='{machine['name']}']")
        expect(card).to_contain_text("Ready", timeout=SOON)
        expect(card).to_contain_text(machine["address"])
        for figure in ("cpu", "memory"):
            expect(card.locator(f"dd[data-figure={figure}]")).to_contain_text(" of ", timeout=SOON)


def test_the_apps_pods_are_on_the_machines_that_run_them(lab: Lab, page: Page) -> None:
    pods = lab.get("pods", "-l", "app.kubernetes.io/name=kubia")["items"]
    assert len(pods) == 3
    for pod in pods:
        card = page.locator(f"[data-machine='{pod['spec']['nodeName']}']")
        shown = card.locator(f"[data-pod='default/{pod['metadata']['name']}']")
        expect(shown).to_contain_text("Running", timeout=SOON)
        expect(shown.locator("[data-figure=memory]")).to_contain_text("MiB", timeout=SOON)


def test_every_exposure_answers(lab: Lab, page: Page) -> None:
    exposures = lab.outputs()["exposures"]
    expect(page.locator(GREEN)).to_have_count(len(exposures), timeout=SOON)
    for each in exposures:
        way = page.locator(f"[data-way='{each['app']}/{each['kind']}']")
        expect(way).to_contain_text(each["address"])
        expect(way).to_contain_text("answered")


def test_the_page_follows_a_pod_that_is_replaced(lab: Lab, page: Page) -> None:
    name = lab.get("pods", "-l", "app.kubernetes.io/name=kubia")["items"][0]["metadata"]["name"]
    before = page.locator(f"[data-pod='default/{name}']")
    expect(before).to_be_visible(timeout=SOON)
    lab.kubectl("delete", "pod", name, "--wait=false").ok()
    expect(before).to_have_count(0, timeout=SOON)
    expect(page.locator("[data-app=kubia]", has_text="Running")).to_have_count(3, timeout=SOON)
    expect(page.locator("#events")).to_contain_text("Killing", timeout=SOON)


def test_a_lab_that_rests_says_so_and_is_back_by_itself(lab: Lab, page: Page) -> None:
    lab.project.run("stacklab", "pause", lab.stack).ok()
    try:
        expect(page.locator("#away")).to_contain_text(f"stacklab unpause {lab.stack}", timeout=SOON)
    finally:
        lab.project.run("stacklab", "unpause", lab.stack).ok()
    expect(page.locator("#away")).to_have_count(0, timeout=SOON)
    expect(page.locator(GREEN)).to_have_count(len(lab.outputs()["exposures"]), timeout=SOON)


def test_one_look_for_programs(lab: Lab) -> None:
    said = lab.project.run("stacklab", "dashboard", lab.stack, "--json").ok().output
    found = json.loads(said[said.index("{") :])
    assert {m["name"] for m in found["machines"]} == {m["name"] for m in lab.outputs()["machines"]}
    assert all(e["ok"] for e in found["exposures"])
