"""The newest parts of a page, put by threads that read the world, told to every browser that looks.

A part is the HTML of one element, named by the element's id. Browsers are sent what they have not seen, as
server-sent events; while nobody looks, those who read may rest.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager

BEAT = 15.0
"""Seconds after which a browser hears that nothing is new, and one that has gone is noticed."""


class Live:
    """Shared by the threads that put, and the server that tells."""

    def __init__(self) -> None:
        self._lock = threading.Condition()  # its owner may enter it again: a signal's handler closes
        self._parts: dict[str, tuple[int, str]] = {}
        self._version = 0
        self._bells: dict[object, Callable[[], object]] = {}
        self._closed = False

    # -- those who read the world -------------------------------------------------------------------------------

    def put(self, parts: Mapping[str, str]) -> None:
        """Replace parts; one that is as before is not told again."""
        with self._lock:
            fresh = {name: html for name, html in parts.items() if self._parts.get(name, (0, None))[1] != html}
            if not fresh:
                return
            self._version += 1
            self._parts.update({name: (self._version, html) for name, html in fresh.items()})
            self._ring()

    def watched(self) -> bool:
        """Wait until somebody looks; False when it is over."""
        with self._lock:
            self._lock.wait_for(lambda: self._closed or self._bells)
            return not self._closed

    def pause(self, seconds: float) -> None:
        """Rest, but not beyond the end."""
        with self._lock:
            self._lock.wait_for(lambda: self._closed, seconds)

    def close(self) -> None:
        """It is over: everybody who waits goes on."""
        with self._lock:
            self._closed = True
            self._ring()
            self._lock.notify_all()

    # -- those who look -----------------------------------------------------------------------------------------

    @property
    def parts(self) -> dict[str, str]:
        """The newest of each."""
        with self._lock:
            return {name: html for name, (_, html) in self._parts.items()}

    def since(self, version: int) -> tuple[int, dict[str, str]]:
        """The newest version, and the parts that changed after an older one."""
        with self._lock:
            return self._version, {name: html for name, (made, html) in self._parts.items() if made > version}

    async def stream(self, version: int = 0) -> AsyncIterator[bytes]:
        """Server-sent events: the parts that one browser has not seen, as JSON, whenever there are some."""
        bell = asyncio.Event()
        with self._heard_by(bell):
            yield b"retry: 1000\n\n"
            while not self._closed:
                bell.clear()
                newest, parts = self.since(version)
                if newest < version:  # the browser counts by another run of the command
                    newest, parts = self.since(0)
                version = newest
                if parts:
                    yield f"id: {version}\ndata: {json.dumps(parts)}\n\n".encode()
                try:
                    await asyncio.wait_for(bell.wait(), BEAT)
                except TimeoutError:
                    yield b": nothing new\n\n"

    @contextmanager
    def _heard_by(self, bell: asyncio.Event) -> Iterator[None]:
        loop, key = asyncio.get_running_loop(), object()
        with self._lock:
            self._bells[key] = lambda: loop.call_soon_threadsafe(bell.set)
            self._lock.notify_all()
        try:
            yield
        finally:
            with self._lock:
                del self._bells[key]

    def _ring(self) -> None:
        for ring in self._bells.values():
            ring()
