"""A threaded HTTP/1.1 server on a free loopback port: its answers are one function, its faults one dataclass."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Asked:
    """A request as it came in; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer.

    cut:    the connection is closed after so many bytes of the body, though the whole length was announced.
    status: this status instead of the answer.
    stall:  the answer starts only when the server stops, or after so many seconds.
    """

    cut: int | None = None
    status: int | None = None
    stall: float = 0.0


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what some tests are about: no stack trace of it in their output."""


class Server:
    """Use as a context manager. `asked` holds every request; `fail(path, ...)` queues faults for that path."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._faults: dict[tuple[str, str], deque[Fault]] = {}
        self._over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer._serve(self)

            do_HEAD = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                """Silent: `asked` is the log."""

        self._http = _Quiet(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._http.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def fail(self, path: str, *faults: Fault, method: str = "GET") -> None:
        """The next answers for `path` fail like this, one fault each."""
        self._faults.setdefault((method, path), deque()).extend(faults)

    def count(self, path: str, method: str = "GET") -> int:
        return sum(1 for a in self.asked if a.path == path and a.method == method)

    def answer(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        asked = Asked(handler.command, handler.path, {k.lower(): v for k, v in handler.headers.items()})
        self.asked.append(asked)
        queue = self._faults.get((asked.method, asked.path))
        fault = queue.popleft() if queue else Fault()
        if fault.stall:
            self._over.wait(fault.stall)
        answer = Answer(fault.status) if fault.status else self.answer(asked)
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body)))
        if fault.cut is not None:
            handler.send_header("Connection", "close")
            handler.close_connection = True
        handler.end_headers()
        if asked.method != "HEAD":
            try:
                handler.wfile.write(answer.body[: fault.cut])
            except OSError:  # the client has hung up
                handler.close_connection = True
