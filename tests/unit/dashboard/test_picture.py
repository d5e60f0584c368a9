"""What the page looks like for a lab that is well, one that is not, and one that is away.

UPDATE_GOLDEN=1 rewrites the golden files: read the difference.
"""

from __future__ import annotations

import os
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from modules.dashboard import picture, report
from modules.dashboard.model import Away, Cluster, Event, Figure, Machine, Pod, Reach, Snapshot

GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
NASTY = "<script>alert('x')</script>\"&"

MACHINES = (
    Machine("m1", "master", "10.0.0.1", "good", "Ready", "", "v1.36.3", Figure(0.21, 2), Figure(2**29, 2**31), 2),
    Machine("m2", "worker", "10.0.0.2", "good", "Ready", "", "v1.36.3", Figure(1.9, 2), Figure(2**29, 2**31), 1),
)
PODS = (
    Pod("default", "kubia-1", "m2", "kubia", "good", "Running", "", "10.244.1.5", 0, 0.003, 11 * 2**20),
    Pod("default", "web-1", "m1", "web", "good", "Running", "", "10.244.0.5", 1),
    Pod("kube-system", "etcd-m1", "m1", "", "good", "Running", "", "10.0.0.1", 0, 0.02, 40 * 2**20),
)
WAYS = (
    Reach("kubia", "clusterip", "", "kubectl port-forward", "kubia.svc", "10.96.0.1", 80, True, "kubia-1 answered"),
    Reach("kubia", "nodeport", "http://10.0.0.1:30080/", "", "10.0.0.1", "10.0.0.1", 30080, None, "asking"),
)
EVENTS = (Event(NOW - timedelta(minutes=5), "plain", "Scheduled", "Pod default/kubia-1", "placed"),)
WELL = Snapshot("dev", "kind", NOW, Cluster(MACHINES, PODS, EVENTS, "v1.36.3"), WAYS)
ILL = replace(
    WELL,
    cluster=Cluster(
        (
            replace(MACHINES[0], cpu=Figure(None, 2), memory=Figure()),
            Machine("m2", "worker", "10.0.0.2", "bad", "Missing", "no node of this name"),
        ),
        (
            replace(PODS[0], tone="bad", word="CrashLoopBackOff", why="back-off 10s", restarts=4),
            Pod("default", "kubia-2", "", "kubia", "wait", "Pending", "no room"),
            replace(PODS[2], tone="bad", word="Error"),
        ),
        (Event(None, "bad", "BackOff", "Pod default/kubia-1", "again and again", 12),),
        "v1.36.3",
        "no figures yet: metrics-server is not ready (HTTP 503)",
    ),
    reaches=(replace(WAYS[0], ok=False, evidence="port-forward: refused"),),
)
RESTS = Snapshot(
    "dev",
    "kind",
    NOW,
    Cluster(tuple(Machine(m.name, m.role, m.address, "wait", "Exited") for m in MACHINES)),
    tuple(replace(way, ok=None, evidence="not asked") for way in WAYS),
    Away("The lab is stopped", "m1 is exited, m2 is exited", "stacklab start dev"),
)


@pytest.mark.parametrize(("name", "snapshot"), [("well", WELL), ("ill", ILL), ("rests", RESTS)])
def test_golden_parts(name: str, snapshot: Snapshot) -> None:
    made = "\n".join(f"<!-- {part} -->\n{html}" for part, html in picture.parts(snapshot).items())
    file = GOLDEN / f"{name}.html"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(made)
    assert made == file.read_text()


def test_golden_page() -> None:
    made = picture.page("dev", {"state": "<p>state</p>"})
    file = GOLDEN / "page.html"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(made)
    assert made == file.read_text()


class Tags(HTMLParser):
    """Which tags there are, whether all are closed, and which attributes no policy lets through."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.forbidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.forbidden += [name for name, _ in attrs if name == "style" or name.startswith("on")]
        if tag not in ("meta", "link", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("snapshot", [WELL, ILL, RESTS])
def test_tags_are_closed_and_nothing_is_in_them_that_the_policy_forbids(snapshot: Snapshot) -> None:
    tags = Tags()
    tags.feed(picture.page("dev", picture.parts(snapshot)))
    tags.close()
    assert tags.open == []
    assert tags.forbidden == []


def test_whatever_anybody_calls_himself_is_text() -> None:
    def nasty(thing: Any) -> dict[str, Any]:
        return {f.name: NASTY for f in fields(thing) if f.type == "str"}

    snapshot = Snapshot(
        stack=NASTY,
        backend=NASTY,
        at=NOW,
        cluster=Cluster(
            tuple(replace(m, **nasty(m)) for m in MACHINES[:1]),
            tuple(replace(p, **nasty(p)) for p in PODS),
            tuple(replace(e, **nasty(e)) for e in EVENTS),
            NASTY,
            NASTY,
        ),
        reaches=tuple(replace(w, **nasty(w)) for w in WAYS),
    )
    for each in (snapshot, replace(snapshot, away=Away(NASTY, NASTY, NASTY))):
        page = picture.page(NASTY, picture.parts(each))
        tags = Tags()
        tags.feed(page)
        assert page.count("<script") == 1  # the page's own
        assert NASTY not in page
        assert tags.forbidden == []


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        (WELL, ("good", "all well")),
        (ILL, ("bad", "1 machine not well, 3 pods not well, 1 way in not well")),
        (RESTS, ("wait", "away")),
        (
            replace(WELL, cluster=Cluster(MACHINES, (replace(PODS[0], tone="wait"),))),
            ("wait", "1 pod not well"),
        ),
    ],
)
def test_how_a_lab_is_in_a_few_words(snapshot: Snapshot, expected: tuple[str, str]) -> None:
    assert picture.health(snapshot) == expected


def test_every_pod_has_a_place() -> None:
    boxes = [(box.machine.name if box.machine else "", len(box.pods)) for box in picture.boxes(ILL)]
    assert boxes == [("m1", 1), ("m2", 1), ("", 1)]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "just now"), (59, "just now"), (60, "1 min ago"), (5340, "89 min ago"), (7200, "2 h ago")],
)
def test_how_long_ago(seconds: int, words: str) -> None:
    assert picture.ago(NOW - timedelta(seconds=seconds), NOW) == words


def test_for_programs() -> None:
    data = report.as_data(WELL)
    assert [m["name"] for m in data["machines"]] == ["m1", "m2"]
    assert data["machines"][0]["memory"] == {"used": 2**29, "room": 2**31}
    assert [e["ok"] for e in data["exposures"]] == [True, None]
    assert data["events"][0]["when"] == "2026-03-01T09:55:00+00:00"
    assert data["away"] is None
    assert report.as_data(RESTS)["away"]["next"] == "stacklab start dev"
