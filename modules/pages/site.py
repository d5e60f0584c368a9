"""The application of one live page: the page, its events, its files, what it may be asked. All behind the guard."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from modules.pages.guard import Guard, Key
from modules.pages.live import Live

SHARED = ("page.css", "page.js", "icon.svg")
LONGEST = 4096
"""Bytes that a page may send."""
Post = Callable[[Mapping[str, Any]], tuple[int, str]]
"""Answers what a page sent (JSON) with a status and a line of text."""


def build(
    key: Key,
    live: Live,
    page: Callable[[Mapping[str, str]], str],
    files: Mapping[str, str],
    *,
    beside: Sequence[Route] = (),
    posts: Mapping[str, Post] | None = None,
) -> ASGIApp:
    """A page at /, made of the newest parts; `files` are what it loads besides the shared ones, by name.

    beside: pages of its own; posts: what it may be asked to do, by path. Without any it can be read only.
    """
    here = resources.files("modules.pages") / "static"
    texts = {name: (here / name).read_text(encoding="utf-8") for name in SHARED} | dict(files)

    def show(request: Request) -> Response:
        return HTMLResponse(page(live.parts))

    def events(request: Request) -> Response:
        seen = request.headers.get("last-event-id", "")
        version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 12 else 0
        return StreamingResponse(live.stream(version), media_type="text/event-stream")

    def file(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in texts:
            raise HTTPException(404)
        return Response(texts[name], media_type=mimetypes.guess_type(name)[0])

    def lost(request: Request, error: Exception) -> Response:
        return PlainTextResponse("stacklab: nothing is here\n", 404)

    asked = [Route(path, _post(answer), methods=["POST"]) for path, answer in (posts or {}).items()]
    routes = [Route("/", show), Route("/events", events), *asked, *beside, Route("/{name}", file)]
    return Guard(Starlette(routes=routes, exception_handlers={404: lost}), key, posts or ())


def _post(answer: Post) -> Callable[[Request], Awaitable[Response]]:
    async def take(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LONGEST:
                return PlainTextResponse("stacklab: too long\n", 413)
        try:
            data = json.loads(body)
        except ValueError:
            data = None
        if request.headers.get("content-type") != "application/json" or not isinstance(data, dict):
            return PlainTextResponse("stacklab: this is no JSON object\n", 400)
        status, text = answer(data)
        return PlainTextResponse(f"{text}\n", status)

    return take
