"""The page's application: its pages, its style, for an admin its actions, in the shell of modules.pages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from modules.classroom import drift_page
from modules.overview import picture, watch
from modules.overview.watch import Source, Watcher
from modules.overview.worker import ACTIONS, BusyError, Worker
from modules.pages import site
from modules.pages.guard import Key
from modules.pages.live import Live
from modules.pages.site import Post

DO = "/do"


@dataclass(frozen=True)
class Admin:
    """What makes a page one that may change the class: who does it, and for which students."""

    worker: Worker
    students: Collection[str]


@contextmanager
def running(source: Source, key: Key, live: Live, admin: Admin | None = None) -> Iterator[ASGIApp]:
    """The application, kept fresh while the block runs."""
    folder = resources.files("modules.overview") / "static"
    names = (*picture.STYLES, *(picture.SCRIPTS if admin else ()))
    files = {name: (folder / name).read_text(encoding="utf-8") for name in names}
    watcher = Watcher(source)
    may = frozenset(admin.students) if admin else frozenset[str]()

    def page(parts: Mapping[str, str]) -> str:
        return picture.page(source.name, source.title, parts, key.proof if admin else "")

    with watch.kept_fresh(watcher, live, lambda snapshot: picture.parts(snapshot, may)) as show:
        if admin:
            watcher.tasks = admin.worker.tasks
            admin.worker.on_change, admin.worker.on_end = show, watcher.forget
        beside = [Route("/drift/{student}", _drift(source.name, watcher))]
        posts = {DO: _ask(admin) if admin else _refuse}
        yield site.build(key, live, page, files, beside=beside, posts=posts)


def _refuse(asked: Mapping[str, Any]) -> tuple[int, str]:
    return 403, "this page can be read only: stacklab class serve --admin changes labs"


def _ask(admin: Admin) -> Post:
    def ask(asked: Mapping[str, Any]) -> tuple[int, str]:
        student, action = asked.get("student"), asked.get("action")
        if action not in ACTIONS:
            return 400, "there is no such action"
        if not isinstance(student, str) or student not in admin.students:
            return 404, "there is no such student"
        if action == "reset" and asked.get("confirm") != student:
            return 400, f"nothing was removed: a reset of {student} asks for that id once more"
        try:
            admin.worker.ask(student, action)
        except BusyError as error:
            return 409, error.what
        return 202, f"{student}: {action}"

    return ask


def _drift(name: str, watcher: Watcher) -> Callable[[Request], Response]:
    def show(request: Request) -> Response:
        seen = watcher.seen.get(request.path_params["student"])
        if seen is None:
            raise HTTPException(404)
        styles = [f"../{style}" for style in ("page.css", *picture.STYLES)]
        return HTMLResponse(drift_page.page(name, [seen.drift], seen.at.astimezone(), linked=styles))

    return show
