"""Rows, data and the page: hostile words of students are shown and do nothing."""

from __future__ import annotations

from datetime import datetime
from html.parser import HTMLParser

from modules.classroom import drift_page, drift_words
from modules.classroom.compare import Change
from modules.classroom.drift import Drift, Finding

EVIL = "<script>alert(1)</script><img src=x onerror='a()'>\"&\x1b[31m"
AT = datetime(2026, 11, 21, 10, 0)
EVERYBODY = [
    Drift("s01", "cka-s01"),
    Drift("s02", "cka-s02", error="no lab of this name is up"),
    Drift(
        "s03",
        "cka-s03",
        (
            Finding("edited", "lab", "Deployment", "default", "kubia", "", (Change("spec.replicas", "2", EVIL),)),
            Finding("added", "student", EVIL, EVIL, EVIL, EVIL, (Change(EVIL, "(nothing)", EVIL, own=True),)),
        ),
        notes=(EVIL,),
    ),
]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_the_page_needs_nothing_and_runs_nothing() -> None:
    text = drift_page.page("cka", EVERYBODY, AT)
    tags = Tags()
    tags.feed(text)
    names = {tag for tag, _ in tags.seen}
    assert names.isdisjoint({"script", "img", "link", "iframe", "object", "a"})
    assert not any(key.startswith("on") or key in ("src", "href") for _, attrs in tags.seen for key in attrs)
    assert "default-src 'none'" in text
    assert "@import" not in text
    assert "url(" not in text
    assert "\x1b" not in text


def test_the_page_tells_everybody() -> None:
    text = drift_page.page("cka", EVERYBODY, AT)
    for word in ("s01", "s02", "s03", "as declared", "no lab of this name is up", "spec.replicas", "2026-11-21 10:00"):
        assert word in text
    assert "1 of 2 changed something, 1 not seen" in text
    assert text.index("Of the lab") < text.index("The student&#39;s own")


def test_rows() -> None:
    rows = drift_words.rows(EVERYBODY)
    assert [row[:3] for row in rows] == [
        ["s02", "not seen", ""],
        ["s03", "left out", ""],
        ["s03", "edited", "lab's"],
        ["s03", "added", "student's"],
    ]
    assert all("\x1b" not in cell for row in rows for cell in row)
    many = Finding("edited", "lab", "Thing", "", "x", "", tuple(Change(f"a{n}", "1", "2") for n in range(9)))
    assert drift_words.detail(many).endswith("a3: 1 -> 2; and 5 more")


def test_data_and_verdict() -> None:
    data = drift_words.as_data("cka", EVERYBODY)
    assert (data["class"], data["ok"]) == ("cka", False)
    assert [one["ok"] for one in data["students"]] == [True, False, False]
    assert data["students"][2]["findings"][0] == {
        "what": "edited",
        "owner": "lab",
        "kind": "Deployment",
        "namespace": "default",
        "name": "kubia",
        "detail": "",
        "changes": [{"path": "spec.replicas", "declared": "2", "found": EVIL}],
    }
    assert drift_words.as_data("cka", EVERYBODY[:1])["ok"] is True
    assert drift_words.verdict("cka", EVERYBODY[:1]) == "cka: 1 as declared"
