"""The application of one live page: the page itself, its events, its files. Everything behind the guard."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping
from importlib import resources

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from modules.pages.guard import Guard, Key
from modules.pages.live import Live

SHARED = ("page.css", "page.js", "icon.svg")


def build(key: Key, live: Live, page: Callable[[Mapping[str, str]], str], files: Mapping[str, str]) -> ASGIApp:
    """A page at /, made of the newest parts; `files` are what it loads besides the shared ones, by name."""
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

    routes = [Route("/", show), Route("/events", events), Route("/{name}", file)]
    return Guard(Starlette(routes=routes, exception_handlers={404: lost}), key)
