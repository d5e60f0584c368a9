"""What students changed as one page that needs nothing else: no script, no other file. Pure.

Served by a page server it is linked to that server's style instead, whose policy lets a page hold none of its own.

Names and values are the students': templates escape all of them, and the page's policy lets nothing run or load.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib import resources

from markupsafe import Markup

from modules.classroom.drift import Drift
from modules.classroom.drift_words import clean, verdict
from modules.pages.frame import templates

_templates = templates("modules.classroom")


def page(name: str, found: Sequence[Drift], at: datetime, *, linked: Sequence[str] = ()) -> str:
    """The whole page. linked: where its styles are; without any they are in it."""
    look = (resources.files("modules.pages") / "static" / "page.css").read_text(encoding="utf-8")
    return _templates.get_template("drift.html").render(
        name=name,
        students=found,
        verdict=verdict(name, found),
        at=at.strftime("%Y-%m-%d %H:%M"),
        look=Markup(look),  # noqa: S704 - our own file
        tones={"machine": "bad", "removed": "bad", "edited": "wait", "added": "plain"},
        clean=clean,
        linked=linked,
    )
