"""The server of a live page: a loopback port, uvicorn until Ctrl-C, and a browser that is shown the page."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import webbrowser
from collections.abc import Iterator
from html import escape
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from modules.base.errors import StacklabError
from modules.pages.guard import Key
from modules.pages.live import Live

ADDRESS = "127.0.0.1"
FAREWELL = 3
"""Seconds that answers under way have when it is over."""


def listen(port: int = 0) -> socket.socket:
    """A port of the loopback address, of which 0 is a free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((ADDRESS, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise StacklabError(
            f"port {port} cannot be had: {error.strerror}",
            where=f"{ADDRESS}:{port}",
            hint="another --port, or none: then a free one is taken",
        ) from None
    return listener


def run(listener: socket.socket, app: ASGIApp, live: Live) -> None:
    """Answer until Ctrl-C or SIGTERM; then the port is closed."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,  # no line of a log holds an address with a token in it
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=FAREWELL,
    )
    try:
        _Server(config, live).run(sockets=[listener])
    finally:
        live.close()
        listener.close()


class _Server(uvicorn.Server):
    """Ends at the first signal, and that is how it is meant to end: nothing is raised."""

    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True
        self._live.close()  # browsers that wait for news would hold up the end


def can_open() -> bool:
    """Whether this session has a screen with a browser; a browser within a terminal would be in the way."""
    screen = sys.platform == "darwin" or any(os.environ.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY"))
    return screen or bool(os.environ.get("BROWSER"))


@contextlib.contextmanager
def opened(key: Key, file: Path) -> Iterator[None]:
    """Show the page in the user's browser.

    By a file that only the user can read, and that is there for as long as the page: everybody on this machine sees
    the words that a browser is started with.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={escape(key.url)}">\n')
        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(file.resolve().as_uri())
        yield
    finally:
        file.unlink(missing_ok=True)
