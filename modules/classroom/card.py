"""A student's card: what a printed page tells of a lab and the way in. Pure: outputs of a stack -> data -> HTML.

No secret is ever here; whatever a roster or a lab says goes through the template, which escapes it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import segno
from markupsafe import Markup

from modules.classroom.model import Student
from modules.pages.frame import templates

BEGIN, END = "<!-- card begins -->\n", "<!-- card ends -->\n"


@dataclass(frozen=True)
class Machine:
    """One machine of the lab."""

    name: str
    role: str
    address: str


@dataclass(frozen=True)
class Way:
    """One way to reach an app: an address for a browser, or a command."""

    app: str
    kind: str
    shown: str


@dataclass(frozen=True)
class Card:
    """Everything on one page."""

    student: Student
    class_name: str
    title: str
    stack: str
    api: str
    machines: tuple[Machine, ...]
    ways: tuple[Way, ...]
    names: tuple[str, ...]  # lines for a hosts file: names of ingresses and where they lead
    url: str  # behind the QR code; "" when nothing answers by HTTP outside
    commands: tuple[str, ...]
    expires: date | None


def card(
    student: Student,
    class_name: str,
    title: str,
    stack: str,
    *,
    api: str,
    outputs: Mapping[str, Any],
    expires: date | None,
    inside: str = "",
    ssh: Sequence[str] = (),
) -> Card:
    """Of a stack's outputs. inside: the namespace that the student is held in; ssh: machines to log in to."""
    exposures: list[Mapping[str, Any]] = list(outputs.get("exposures") or ())
    machines = [Machine(str(m["name"]), str(m["role"]), str(m["address"])) for m in outputs.get("machines") or ()]
    pairs = dict.fromkeys((e["address"], e["host"]) for e in exposures if e["kind"] == "ingress" and e["address"])
    return Card(
        student=student,
        class_name=class_name,
        title=title,
        stack=stack,
        api=api,
        machines=tuple(machines),
        ways=tuple(Way(str(e["app"]), str(e["kind"]), _shown(e)) for e in exposures),
        names=tuple(f"{address} {host}" for address, host in pairs),
        url=main_url(exposures),
        commands=tuple(_commands(inside, ssh)),
        expires=expires,
    )


def main_url(exposures: Sequence[Mapping[str, Any]]) -> str:
    """The ingress's address for a browser; without one the first there is."""
    ranked = sorted(exposures, key=lambda e: e["kind"] != "ingress")
    return next((str(e["url"]) for e in ranked if e.get("url")), "")


def _commands(inside: str, ssh: Sequence[str]) -> list[str]:
    """What is typed in the folder that the student was given."""
    look = "kubectl get pods" if inside else "kubectl get nodes"
    login = [f"ssh -F ssh_config {ssh[0]}"] if ssh else []
    return ['export KUBECONFIG="$PWD/kubeconfig"', look, *login]


def _shown(exposure: Mapping[str, Any]) -> str:
    if exposure.get("url"):
        return str(exposure["url"])
    # The stack's own command names the teacher's kubeconfig.
    _, forward, rest = str(exposure.get("command") or "").partition("port-forward")
    return f"kubectl {forward}{rest}" if forward else str(exposure["host"])


def qr(url: str) -> Markup:
    """The URL as a picture inside the page: it has only dots and sizes of ours in it."""
    out = io.BytesIO()
    segno.make(url, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=2, svgclass=None, lineclass=None, nl=False
    )
    return Markup(out.getvalue().decode())  # noqa: S704


def page(title: str, cards: Sequence[str]) -> str:
    """A whole page of cards that `html` made."""
    shown = [Markup(one) for one in cards]  # noqa: S704 - made by our template
    return templates("modules.classroom").get_template("cards.html").render(title=title, cards=shown)


def html(card: Card) -> str:
    """One card, as it stands in a page."""
    code = qr(card.url) if card.url else ""
    return templates("modules.classroom").get_template("card.html").render(card=card, qr=code).rstrip()


def inner(text: str) -> str:
    """The card out of a page with one card: what stands on it is escaped, so it holds no marks of ours."""
    _, _, rest = text.partition(BEGIN)
    found, end, _ = rest.partition(END)
    return found if end else ""
