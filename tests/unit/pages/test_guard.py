"""The shell of pages from outside: who may read, and what a browser is told to allow."""

from __future__ import annotations

import pytest

from modules.pages import site
from modules.pages.guard import Key
from modules.pages.live import Live
from tests.support.asking import Asking

KEY = Key(8123, "the-right-token")
WHERE = "http://127.0.0.1:8123"


def client(base: str = WHERE) -> Asking:
    return Asking(site.build(KEY, Live(), lambda parts: "<p>the page</p>", {"own.css": "body {}"}), base)


@pytest.fixture
def known() -> Asking:
    """A browser that came with the token."""
    browser = client()
    assert browser.get("/?token=the-right-token").status_code == 303
    return browser


def test_the_token_becomes_a_cookie_and_leaves_the_address() -> None:
    answer = client().get("/?token=the-right-token")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("stacklab-8123=the-right-token;")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_who_came_with_the_token_sees_the_page_and_its_files(known: Asking) -> None:
    assert known.get("/").text == "<p>the page</p>"
    for name, kind in (("page.css", "text/css"), ("page.js", "javascript"), ("icon.svg", "svg"), ("own.css", "css")):
        answer = known.get(f"/{name}")
        assert answer.status_code == 200
        assert kind in answer.headers["content-type"]


@pytest.mark.parametrize("path", ["/", "/events", "/page.js", "/nothing", "/?token=", "//", "/%2e%2e/"])
def test_without_the_token_there_is_nothing(path: str) -> None:
    answer = client().get(path)
    assert answer.status_code == 403
    assert "address that the command printed" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/?token=wrong", "/?token=the-right-toke", "/events?token=%C3%A9"])
def test_the_token_of_another_run_is_told_apart(path: str) -> None:
    answer = client().get(path)
    assert answer.status_code == 403
    assert "printed last" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("cookie", ["stacklab-8123=wrong", "stacklab-8124=the-right-token", "a\x01=b", "é=ü", ""])
def test_another_cookie_is_no_token(cookie: str) -> None:
    assert client().get("/", headers={"Cookie": cookie.encode()}).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example.com", "evil.example.com:8123", "127.0.0.1", "127.0.0.1:8124", "[::1]:8123", ""]
)
def test_under_a_strangers_name_there_is_nothing_even_with_the_token(known: Asking, host: str) -> None:
    for path in ("/", "/?token=the-right-token"):
        answer = known.get(path, headers={"Host": host})
        assert answer.status_code == 400
        assert "http://127.0.0.1:8123/" in answer.text


def test_two_hosts_in_one_request_are_no_host(known: Asking) -> None:
    assert known.get("/", headers=[("Host", "127.0.0.1:8123"), ("Host", "evil.example.com")]).status_code == 400


def test_localhost_is_this_machine_too() -> None:
    assert client("http://localhost:8123").get("/?token=the-right-token").status_code == 303


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_a_page_can_be_read_only(known: Asking, method: str) -> None:
    assert known.request(method, "/").status_code == 405


@pytest.mark.parametrize("path", ["/", "/page.css", "/nothing", "/?token=wrong"])
def test_every_answer_tells_the_browser_what_to_allow(known: Asking, path: str) -> None:
    headers = known.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"


def test_what_is_not_there_is_said_to_be_not_there(known: Asking) -> None:
    for path in ("/nothing", "/../pyproject.toml", "/%2e%2e%2fpyproject.toml", "/static/page.css"):
        assert known.get(path).status_code == 404


def test_two_keys_have_two_tokens_and_a_printed_key_has_none() -> None:
    one, other = Key(1), Key(1)
    assert one.token != other.token
    assert len(one.token) > 40
    assert one.token not in repr(one)
