"""A browser without a window: the Chromium of this machine, which `setup/bootstrap --tests` brings."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """It opens in a second, and leaves nothing behind."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    assert program, f"none of {', '.join(NAMES)} is installed: setup/bootstrap --tests"
    # Its own sandbox refuses to start for root.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=options)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def opened(
    browser: Browser, url: str, *, width: int = 1280, height: int = 900, dark: bool = False, expected: str = ""
) -> Iterator[Page]:
    """The page of an address; whatever goes wrong in it fails the test at the end of the block.

    expected: what may stand in an error's text, where a test makes something go wrong.
    """
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", locale="en-GB"
    )
    try:
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.set_default_timeout(20_000)
        page.goto(url)
        yield page
        assert [each for each in wrong if not expected or expected not in each] == []
    finally:
        context.close()
