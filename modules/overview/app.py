"""The page's application: its page and its style in the shell of modules.pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources

from starlette.types import ASGIApp

from modules.overview import picture, watch
from modules.overview.watch import Source, Watcher
from modules.pages import site
from modules.pages.guard import Key
from modules.pages.live import Live


@contextmanager
def running(source: Source, key: Key, live: Live) -> Iterator[ASGIApp]:
    """The application, kept fresh while the block runs."""
    folder = resources.files("modules.overview") / "static"
    files = {name: (folder / name).read_text(encoding="utf-8") for name in picture.STYLES}
    with watch.kept_fresh(Watcher(source), live, picture.parts):
        yield site.build(key, live, lambda parts: picture.page(source.name, source.title, parts), files)
