"""What a page may be asked to do: only where it says so, and only by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from modules.pages import site
from modules.pages.guard import Key
from modules.pages.live import Live
from tests.support.asking import Asking

KEY = Key(8123, "the-right-token")
WHERE = "http://127.0.0.1:8123"
GOOD = {"Origin": WHERE, "X-Stacklab-Proof": KEY.proof, "Content-Type": "application/json"}


class Page:
    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.kind = "application/json"
        app = site.build(KEY, Live(), lambda parts: "", {}, posts={"/do": self._do})
        self.browser = Asking(app, WHERE)
        self.browser.get("/?token=the-right-token")

    def _do(self, asked: Mapping[str, Any]) -> tuple[int, str]:
        self.asked.append(asked)
        return 202, "begun"

    def post(self, path: str = "/do", body: bytes = b'{"a": 1}', **headers: str) -> httpx.Response:
        words = GOOD | {"Content-Type": self.kind} | headers
        return self.browser.request("POST", path, content=body, headers=words)


@pytest.fixture
def page() -> Page:
    return Page()


def test_the_page_itself_is_heard(page: Page) -> None:
    answer = page.post()
    assert (answer.status_code, answer.text) == (202, "begun\n")
    assert page.asked == [{"a": 1}]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_localhost_is_its_own_origin(page: Page) -> None:
    assert page.post(Host="localhost:8123", Origin="http://localhost:8123").status_code == 202
    assert page.post(Host="localhost:8123").status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": ""},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8124"},
        {"Origin": "https://127.0.0.1:8123"},
        {"Origin": "http://evil.example.com"},
        {"X-Stacklab-Proof": ""},
        {"X-Stacklab-Proof": "the-right-token"},
        {"X-Stacklab-Proof": Key(8123).proof},
        {"X-Stacklab-Proof": "\xe9"},
        {"Cookie": "stacklab-8123=wrong"},
        {"Cookie": "stacklab-8124=the-right-token"},
    ],
)
def test_nobody_else_is(page: Page, headers: dict[str, str]) -> None:
    answer = page.browser.request(
        "POST",
        "/do",
        content=b"{}",
        headers=[(n.encode(), v.encode("latin-1")) for n, v in (GOOD | headers).items() if v],
    )
    assert answer.status_code == 403
    assert page.asked == []


def test_without_a_cookie_the_token_in_the_address_opens_nothing(page: Page) -> None:
    page.browser.cookies.clear()
    assert page.post("/do?token=the-right-token").status_code == 403
    assert page.asked == []


def test_under_a_strangers_name_there_is_nothing(page: Page) -> None:
    assert page.post(Host="evil.example.com:8123", Origin="http://evil.example.com:8123").status_code == 400


@pytest.mark.parametrize(("method", "path"), [("POST", "/"), ("POST", "/page.css"), ("PUT", "/do"), ("DELETE", "/do")])
def test_everything_else_can_be_read_only(page: Page, method: str, path: str) -> None:
    assert page.browser.request(method, path, headers=GOOD).status_code == 405


def test_it_cannot_be_asked_by_an_address(page: Page) -> None:
    assert page.browser.get("/do").status_code in (404, 405)
    assert page.asked == []


@pytest.mark.parametrize("body", [b"", b"x", b"[1]", b'"a"', b"\xff", b"{}x"])
def test_what_is_no_object_is_refused(page: Page, body: bytes) -> None:
    assert page.post(body=body).status_code == 400
    page.kind = "text/plain"
    assert page.post().status_code == 400
    assert page.asked == []


def test_what_is_too_long_is_refused(page: Page) -> None:
    assert page.post(body=json.dumps({"a": "x" * site.LONGEST}).encode()).status_code == 413
    assert page.asked == []


def test_the_proof_tells_nothing_of_the_token() -> None:
    assert KEY.token not in KEY.proof
    assert len(KEY.proof) == 64
    assert Key(1).proof != Key(1).proof
