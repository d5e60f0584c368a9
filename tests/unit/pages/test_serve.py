"""The port, the way a browser is shown the page, and that no other program is told the token."""

from __future__ import annotations

import socket
import stat
import webbrowser
from pathlib import Path

import pytest

from modules.base.errors import StacklabError
from modules.pages import serve
from modules.pages.guard import Key


def test_a_free_port_of_the_loopback_address_only() -> None:
    with serve.listen() as listener:
        host, port = listener.getsockname()
        assert host == "127.0.0.1"
        assert port > 0


def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    with serve.listen() as first, pytest.raises(StacklabError) as told:
        serve.listen(first.getsockname()[1])
    assert "Address already in use" in str(told.value)
    assert "another --port" in str(told.value)


def test_a_port_can_be_had_again_at_once() -> None:
    with serve.listen() as first:
        port = first.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            pass
    serve.listen(port).close()


def test_the_browser_is_shown_a_private_file_and_never_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(webbrowser, "open", asked.append)
    key, file = Key(8123), tmp_path / "labs" / "dev" / "dashboard.html"
    with serve.opened(key, file):
        assert asked == [file.as_uri()]
        assert key.token not in asked[0]
        assert key.url in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not file.exists()


@pytest.mark.parametrize(
    ("env", "expected"),
    [({}, False), ({"DISPLAY": ":0"}, True), ({"WAYLAND_DISPLAY": "w"}, True), ({"BROWSER": "x"}, True)],
)
def test_a_browser_is_opened_only_where_there_is_a_screen(
    env: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert serve.can_open() is expected
