"""The dashboard as a person sees it: the real command and Chromium, in front of a Kubernetes API on loopback.

UPDATE_SCREENSHOT=1 rewrites docs/dashboard.png.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import dashboard
from tests.support.browser import chromium, opened
from tests.support.dashboard import Running
from tests.support.project import CHECKOUT
from tests.unit.dashboard.conftest import MACHINES, FakeLab

SCREENSHOT = CHECKOUT / "docs" / "dashboard.png"
GREEN = "[data-way][data-ok=true]"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture
def command(lab: FakeLab) -> Iterator[Running]:
    now = datetime.now(UTC)
    for minutes, event in zip((3, 1), lab.api.objects["/api/v1/events"], strict=True):
        event["lastTimestamp"] = (now - timedelta(minutes=minutes, seconds=20)).isoformat(timespec="seconds")
    with dashboard.started(lab.file) as running:
        yield running


@pytest.fixture
def page(browser: Browser, command: Running) -> Iterator[Page]:
    with opened(browser, command.url) as made:
        expect(made.locator(GREEN)).to_have_count(4)
        yield made


def fits(page: Page) -> bool:
    """Nothing reaches beyond the right edge."""
    found: bool = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return found


def test_everything_is_there(page: Page) -> None:
    expect(page).to_have_title("dev · stacklab")
    expect(page.locator("#state")).to_contain_text("all well")
    for each in MACHINES:
        card = page.locator(f"[data-machine='{each['name']}']")
        expect(card).to_contain_text("Ready")
        expect(card).to_contain_text(each["address"])
    worker = page.locator("[data-machine='dev-worker2']")
    expect(worker.locator("[data-app=kubia]")).to_have_count(2)
    expect(worker.locator("[data-figure=cpu]").first).to_have_text("1.65 of 2 cores")
    expect(worker.locator("[data-figure=memory]").first).to_have_text("455 MiB of 2.0 GiB")
    expect(worker.locator("[data-pod='default/kubia-7d4b9-h8k2m']")).to_contain_text("3m CPU · 11 MiB")
    expect(page.locator("#events")).to_contain_text("Readiness probe failed: HTTP 503")
    expect(page.locator("#events")).to_contain_text("3 min ago")


def test_the_token_is_in_no_address_and_no_script_reads_it(page: Page, command: Running) -> None:
    assert urlsplit(page.url).query == ""
    assert page.evaluate("document.cookie") == ""
    assert command.url.partition("token=")[2] not in page.content()


def test_the_page_follows_the_lab(page: Page, lab: FakeLab) -> None:
    gone = page.locator("[data-pod='default/kubia-7d4b9-q9w7t']")
    expect(gone).to_be_visible()
    lab.api.remove_pod("kubia-7d4b9-q9w7t")
    lab.api.add_pod("kubia-7d4b9-new11", "dev-control-plane", app="kubia", ready=False)
    expect(gone).to_have_count(0)
    expect(page.locator("[data-machine='dev-control-plane'] [data-app=kubia]")).to_contain_text("Not ready")
    expect(page.locator("#state")).to_contain_text("1 pod not well")


def test_a_way_in_that_breaks_turns_red(page: Page, lab: FakeLab) -> None:
    lab.kubectl.on("port-forward", stderr="error: no endpoints", code=1)
    broken = page.locator("[data-way='kubia/clusterip'][data-ok=false]")
    expect(broken).to_contain_text("no answer")
    expect(broken).to_contain_text("no endpoints")
    expect(page.locator(GREEN)).to_have_count(3)


def test_the_systems_pods_are_shown_on_request_and_when_they_fail(page: Page, lab: FakeLab) -> None:
    etcd, calico = (page.locator(f"[data-pod='kube-system/{name}']") for name in ("etcd-dev", "calico-node-1"))
    expect(etcd).to_be_hidden()
    page.get_by_label("show the system's pods").check()
    expect(etcd).to_be_visible()
    page.get_by_label("show the system's pods").uncheck()
    lab.api.remove_pod("calico-node-1")
    crash = {"reason": "CrashLoopBackOff", "message": "back-off 10s"}
    lab.api.add_pod("calico-node-1", "dev-worker", namespace="kube-system", ready=False, waiting=crash)
    expect(calico).to_be_visible()
    expect(etcd).to_be_hidden()


def test_a_lab_that_stops_and_comes_back(page: Page, lab: FakeLab) -> None:
    lab.describe(states={m["name"]: "exited" for m in MACHINES})
    lab.api.away = True
    away = page.locator("#away")
    expect(away).to_contain_text("The lab is stopped.")
    expect(away).to_contain_text("stacklab start dev")
    expect(page.locator("[data-machine='dev-worker']")).to_contain_text("Exited")
    expect(page.locator(GREEN)).to_have_count(0)
    lab.api.away = False
    expect(away).to_have_count(0)
    expect(page.locator(GREEN)).to_have_count(4)


def test_what_strangers_write_is_text(page: Page, lab: FakeLab) -> None:
    nasty = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    lab.api.add_event(nasty, kind="Warning", reason=nasty, about=nasty)
    lab.api.add_pod("odd", "dev-worker", app="kubia", ready=False, waiting={"reason": "Err", "message": nasty})
    expect(page.locator("#events")).to_contain_text(nasty)
    expect(page.locator("[data-pod='default/odd']")).to_contain_text(nasty)
    expect(page).to_have_title("dev · stacklab")


def test_it_can_be_read_by_name_and_by_keyboard(page: Page) -> None:
    for name in ("Ways in", "Machines and their pods", "Events"):
        expect(page.get_by_role("region", name=name)).to_be_visible()
    expect(page.get_by_role("meter", name="CPU of dev-worker2")).to_have_attribute("value", "82")
    link = page.get_by_role("link", name="http://kubia.example.com/")
    link.focus()
    page.evaluate("source.onmessage({data: JSON.stringify({ways: document.getElementById('ways').innerHTML})})")
    expect(link).to_be_focused()


@pytest.mark.parametrize("dark", [False, True])
def test_on_a_phone(browser: Browser, command: Running, tmp_path: Path, dark: bool) -> None:
    with opened(browser, command.url, width=360, height=740, dark=dark) as page:
        expect(page.locator(GREEN)).to_have_count(4)
        page.get_by_label("show the system's pods").check()
        assert fits(page)
        shown = page.screenshot(path=tmp_path / "phone.png", full_page=True)
        assert len(shown) > 20_000
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(17, 21, 28)" if dark else "rgb(244, 246, 249)")


def test_its_picture(page: Page, tmp_path: Path) -> None:
    """What docs/dashboard.md shows."""
    assert fits(page)
    file = SCREENSHOT if os.environ.get("UPDATE_SCREENSHOT") else tmp_path / "dashboard.png"
    page.screenshot(path=file, full_page=True)
    assert file.read_bytes().startswith(b"\x89PNG")
    assert 20_000 < file.stat().st_size < 200_000
    assert SCREENSHOT.stat().st_size < 200_000


def test_ctrl_c_ends_it_and_the_page_says_so(browser: Browser, command: Running) -> None:
    with opened(browser, command.url, expected="ERR_") as page:
        expect(page.locator(GREEN)).to_have_count(4)
        assert page.locator("#gone").is_hidden()
        code, said = command.interrupt()
        expect(page.locator("#gone")).to_contain_text("stacklab dashboard dev")
        expect(page.locator("#gone")).to_be_visible()
    assert code == 0
    # Nothing else: nobody had to be cut off.
    assert said.splitlines() == [
        "dev: open the address above in a browser of this machine; Ctrl-C ends it",
        "dev: the dashboard has ended",
    ]
    assert command.url.partition("token=")[2] not in said
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", command.port), timeout=5)


def test_over_the_wire_it_is_as_closed_as_within(command: Running) -> None:
    place = f"http://127.0.0.1:{command.port}/"
    assert httpx.get(place, trust_env=False).status_code == 403
    assert httpx.get(command.url, trust_env=False).status_code == 303
    assert httpx.get(command.url, headers={"Host": "evil.example.com"}, trust_env=False).status_code == 400
    assert httpx.post(command.url, trust_env=False).status_code == 405


def test_a_browser_without_the_token_is_told_what_to_open(browser: Browser, command: Running) -> None:
    with opened(browser, f"http://127.0.0.1:{command.port}/", expected="403") as page:
        expect(page.locator("body")).to_contain_text("Open the address that the command printed")
