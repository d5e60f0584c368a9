"""A snapshot of a class as HTML: the parts of the page, and the page around them. Pure; templates/ holds the words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from markupsafe import Markup

from modules.dashboard.model import Tone
from modules.dashboard.picture import figure, used
from modules.overview.model import Snapshot
from modules.pages.frame import templates

PARTS = ("summary", "students")
STYLES = ("overview.css",)
TONES: Mapping[str, Tone] = {
    "up": "good",
    "not made": "plain",
    "silent": "bad",
    "failed": "bad",
    "half made": "bad",
    "being made": "wait",
    "being removed": "wait",
}

_templates = templates("modules.overview")


def page(name: str, title: str, parts: Mapping[str, str]) -> str:
    """The whole page around the newest parts; a part that is not there yet is empty."""
    ready = {part: Markup(parts.get(part, "")) for part in PARTS}  # noqa: S704 - made below, escaped there
    return _templates.get_template("page.html").render(
        title=f"{name} · stacklab",
        name=name,
        about=title,
        command=f"stacklab class serve {name}",
        parts=ready,
        styles=STYLES,
    )


def parts(snapshot: Snapshot) -> dict[str, str]:
    """Every part, by its name."""
    states = Counter(student.row.state for student in snapshot.students)
    things = {
        "snapshot": snapshot,
        "states": [(state, count, TONES.get(state, "plain")) for state, count in sorted(states.items())],
        "tone": lambda state: TONES.get(state, "plain"),
        "figure": figure,
        "used": used,
    }
    return {name: _templates.get_template(f"{name}.html").render(things) for name in PARTS}
