"""The page of cards as a PDF: WeasyPrint lays out the same HTML that browsers show (docs/decisions/cards-as-pdf.md).

Nothing is fetched for it, from nowhere: what a page of ours does not hold itself is an error.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from modules.base.errors import HostError, StacklabError

LIBRARIES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
_NO_GLYPH = re.compile(r"unsupported by fonts.*\(U\+(?P<code>[0-9A-F]+)\)")


def require() -> None:
    """Fail before anything is handed out when no PDF can be made here."""
    _library()


def pdf(html: str) -> tuple[bytes, str]:
    """The file, and the characters that no font of this machine has: they stand in it as empty boxes."""
    library = _library()
    fetcher = library.urls.URLFetcher(allowed_protocols=(), fail_on_errors=True)
    with _said() as said:
        try:
            made: bytes = library.HTML(string=html, url_fetcher=fetcher).write_pdf()
        except library.urls.FatalURLFetchingError as error:  # no Exception, by its own choice
            raise StacklabError(f"a page to print asks for what is not in it: {error}") from None
    missing = dict.fromkeys(chr(int(found["code"], 16)) for line in said if (found := _NO_GLYPH.search(line)))
    return made, "".join(missing)


def _library() -> Any:
    try:
        import weasyprint
        import weasyprint.urls
    except OSError as error:  # it loads Pango when it is imported
        raise HostError(
            "no PDF can be made here: Pango, which lays out text, is missing",
            output=str(error).partition("\n")[0],
            hint=f"apt-get install {LIBRARIES}   (or, without --pdf, print cards.html from a browser)",
        ) from None
    return weasyprint


@contextmanager
def _said() -> Iterator[list[str]]:
    """What the library complains of meanwhile, instead of on standard error."""
    lines: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    log, keeper = logging.getLogger("weasyprint"), Keeper()
    before = log.handlers[:], log.propagate
    log.handlers, log.propagate = [keeper], False
    try:
        yield lines
    finally:
        log.handlers, log.propagate = before
