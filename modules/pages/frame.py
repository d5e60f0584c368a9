"""The frame of every page, and the templates that fill it: whatever is put into them is escaped."""

from __future__ import annotations

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def templates(package: str) -> Environment:
    """The templates of a package, which may extend `frame.html` (title, styles, command, block body)."""
    return Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("modules.pages")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
