"""The dashboard's application: its page and its style in the shell of modules.pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import resources

from starlette.types import ASGIApp

from modules.dashboard import picture, watch
from modules.dashboard.watch import Source, Watcher
from modules.pages import site
from modules.pages.guard import Key
from modules.pages.live import Live


def build(stack: str, key: Key, live: Live) -> ASGIApp:
    """What is served under the key."""
    folder = resources.files("modules.dashboard") / "static"
    files = {name: (folder / name).read_text(encoding="utf-8") for name in picture.STYLES}
    return site.build(key, live, _page(stack), files)


@contextmanager
def running(source: Source, key: Key, live: Live) -> Iterator[ASGIApp]:
    """The application, kept fresh while the block runs. A stack without a lab is an error."""
    with watch.kept_fresh(Watcher(source, source.lab()), live, picture.parts):
        yield build(source.stack, key, live)


def _page(stack: str) -> Callable[[Mapping[str, str]], str]:
    return lambda parts: picture.page(stack, parts)
