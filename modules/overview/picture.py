"""A snapshot of a class as HTML: the parts of the page, and the page around them. Pure; templates/ holds the words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from markupsafe import Markup

from modules.dashboard.model import Tone
from modules.dashboard.picture import ago, figure, used
from modules.overview.model import Snapshot
from modules.overview.worker import ACTIONS
from modules.pages.frame import templates

PARTS = ("summary", "students")
STYLES = ("overview.css",)
SCRIPTS = ("admin.js",)
TONES: Mapping[str, Tone] = {
    "up": "good",
    "not made": "plain",
    "silent": "bad",
    "failed": "bad",
    "half made": "bad",
    "being made": "wait",
    "being put right": "wait",
    "being removed": "wait",
}

_templates = templates("modules.overview")


def page(name: str, title: str, parts: Mapping[str, str], proof: str = "") -> str:
    """The whole page around the newest parts; a part that is not there yet is empty. proof: it may change labs."""
    ready = {part: Markup(parts.get(part, "")) for part in PARTS}  # noqa: S704 - made below, escaped there
    return _templates.get_template("page.html").render(
        title=f"{name} · stacklab",
        name=name,
        about=title,
        command=f"stacklab class serve {name}{' --admin' if proof else ''}",
        proof=proof,
        scripts=SCRIPTS if proof else (),
        parts=ready,
        styles=STYLES,
    )


def parts(snapshot: Snapshot, may: Collection[str] = ()) -> dict[str, str]:
    """Every part, by its name. may: students for whom something can be asked."""
    states = Counter(student.row.state for student in snapshot.students)
    things = {
        "snapshot": snapshot,
        "states": [(state, count, TONES.get(state, "plain")) for state, count in sorted(states.items())],
        "tone": lambda state: TONES.get(state, "plain"),
        "figure": figure,
        "used": used,
        "ago": lambda when: ago(when, snapshot.at),
        "clock": lambda when: when.astimezone().strftime("%H:%M"),
        "may": may,
        "actions": ACTIONS,
    }
    return {name: _templates.get_template(f"{name}.html").render(things) for name in PARTS}
