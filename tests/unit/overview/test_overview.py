"""The teacher's page: from a class and Kubernetes APIs on loopback to what a browser is sent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from modules.base.errors import StacklabError
from modules.classroom.drift import Drift, Finding
from modules.classroom.status import Row
from modules.dashboard.model import Figure
from modules.overview import app, look, picture, watch
from modules.overview.model import Seen, Snapshot, Task
from modules.overview.watch import Source, Watcher
from modules.overview.worker import Action, Report, Worker
from modules.pages.guard import Key
from modules.pages.live import Live
from tests.support.asking import Asking
from tests.support.servers.kubernetes import Kubernetes

EXPOSURES = [
    {"app": "kubia", "kind": "clusterip", "command": "kubectl port-forward", "url": ""},
    {"app": "kubia", "kind": "ingress", "url": "http://s01.kubia.example.com/"},
    {"app": "evil", "kind": "nodeport", "url": "javascript:alert(1)"},
]


def row(student: str, state: str = "up", **changed: Any) -> Row:
    known: dict[str, Any] = {"name": "", "answers": None, "resources": 9, "since": "2026-11-21 07:30", "note": ""}
    return Row(id=student, stack=f"cka-{student}", state=state, **{**known, **changed})


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Kubernetes]:
    with Kubernetes(tmp_path / "api") as made:
        made.add_node("machine", "10.0.0.2", cpu="500m", memory="1Gi")
        made.add_pod("kubia-1", "machine", namespace="cka-s01", cpu="10m", memory="64Mi")
        made.add_pod("kubia-2", "machine", namespace="cka-s01", cpu="20m", memory="64Mi")
        made.add_pod("kubia-3", "machine", namespace="cka-s02", cpu="40m", memory="64Mi")
        yield made


class Class:
    """A class whose parts a test changes; how often outputs were asked is counted."""

    def __init__(self, api: Kubernetes, *rows: Row, shared: bool = False) -> None:
        self.rows: list[Row] = list(rows)
        self.held = ""
        self.asked: list[str] = []
        self.error: StacklabError | None = None
        self.source = Source(
            "cka", "Autumn", self._rows, self._outputs, lambda _: api.kubeconfig, api.kubeconfig if shared else None
        )

    def _rows(self) -> tuple[str, list[Row]]:
        if self.error:
            raise self.error
        return self.held, self.rows

    def _outputs(self, stack: str) -> dict[str, Any]:
        self.asked.append(stack)
        return {"exposures": EXPOSURES, "machines": [{"name": "machine", "role": "master", "address": "10.0.0.2"}]}


def seen(class_: Class) -> Snapshot:
    watcher = Watcher(class_.source)
    watcher.refresh_rows()
    watcher.refresh_labs()
    return watcher.snapshot()


def test_a_lab_of_ones_own_shows_its_machines(api: Kubernetes) -> None:
    (student,) = seen(Class(api, row("s01"))).students
    assert (student.health.tone, student.health.words, student.health.pods) == ("good", "all well", 3)
    assert student.health.cpu.used == 0.5
    assert [way.url for way in student.ways] == ["http://s01.kubia.example.com/"]


def test_a_share_shows_the_pods_of_its_namespace(api: Kubernetes) -> None:
    first, second = seen(Class(api, row("s01"), row("s02"), shared=True)).students
    assert (first.health.pods, second.health.pods) == (2, 1)
    assert first.health.cpu.used == pytest.approx(0.03)
    assert first.health.cpu.room is None


def test_a_machine_that_is_missing_is_told(api: Kubernetes) -> None:
    outputs = {"machines": [{"name": "lost", "role": "worker", "address": "10.0.0.3"}]}
    watcher = Watcher(Class(api, row("s01")).source)
    watcher.refresh_rows()
    answers = watch._ask(api.kubeconfig)
    assert look.of_lab("cka-s01", outputs, answers).words == "1 machine not well"


def test_only_labs_that_are_up_are_asked(api: Kubernetes) -> None:
    class_ = Class(api, row("s01"), row("s02", "not made"), row("s03", "failed", note="no room"))
    found = seen(class_)
    assert class_.asked == ["cka-s01"]
    assert [student.health.words for student in found.students] == ["all well", "", ""]


def test_outputs_are_asked_once_for_each_change(api: Kubernetes) -> None:
    class_ = Class(api, row("s01"))
    watcher = Watcher(class_.source)
    for since in ("1", "1", "2"):
        class_.rows = [row("s01", since=since)]
        watcher.refresh_rows()
        watcher.refresh_labs()
    assert class_.asked == ["cka-s01", "cka-s01"]


def test_a_silent_lab_is_one_line_that_says_so(tmp_path: Path, api: Kubernetes) -> None:
    class_ = Class(api, row("s01"))
    gone = Source("cka", "", class_._rows, class_._outputs, lambda _: tmp_path / "none")
    watcher = Watcher(gone)
    watcher.refresh_labs()
    (student,) = watcher.snapshot().students
    assert student.health.tone == "bad"
    assert "kubeconfig cannot be read" in student.health.words


def test_what_cannot_be_read_leaves_what_was_known(api: Kubernetes) -> None:
    class_ = Class(api, row("s01"))
    watcher = Watcher(class_.source)
    watcher.refresh_rows()
    class_.error = StacklabError("the state is away")
    watcher.refresh_rows()
    found = watcher.snapshot()
    assert found.error == "the state is away"
    assert len(found.students) == 1
    assert "the state is away" in picture.parts(found)["summary"]


def test_names_are_text_and_links_are_links(api: Kubernetes) -> None:
    class_ = Class(api, row("s01", name="<script>x</script>"), row("s02", "failed", note="<b>no</b>"))
    class_.held = "<i>ada</i>"
    found = picture.parts(seen(class_))
    assert "<script>" not in found["students"]
    assert "&lt;script&gt;" in found["students"]
    assert "<b>no" not in found["students"]
    assert "<i>" not in found["summary"]
    assert "javascript:" not in found["students"]
    assert re.findall(r'data-state="([^"]*)"', found["summary"]) == ["failed", "up"]
    assert 'href="http://s01.kubia.example.com/"' in found["students"]
    whole = picture.page("cka", "Autumn <1>", found)
    assert "Autumn &lt;1&gt;" in whole
    assert 'data-student="s01"' in whole


def test_nothing_measured_is_no_zero() -> None:
    assert look._total([Figure(), Figure()]) == Figure()
    assert look._total([Figure(1.0, 2.0), Figure(None, 2.0)]) == Figure(1.0, 4.0)


def test_a_mistake_of_ours_is_shown_and_the_page_goes_on(api: Kubernetes, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher, live = Watcher(Class(api, row("s01")).source), Live()
    monkeypatch.setattr(watcher, "refresh_rows", lambda: 1 / 0)

    async def first() -> str:
        stream = live.stream()
        await anext(stream)
        return (await anext(stream)).decode()

    with watch.kept_fresh(watcher, live, picture.parts):
        assert "ZeroDivisionError" in asyncio.run(asyncio.wait_for(first(), 20))


# -- drift ---------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def looked(seconds_ago: float, since: str = "2026-11-21 07:30") -> Seen:
    return Seen(Drift("", ""), NOW - timedelta(seconds=seconds_ago), since)


def test_one_student_after_the_other_is_looked_at() -> None:
    rows = [row("s01"), row("s02"), row("s03", "not made"), row("s04")]
    turn = partial(watch.due, rows, now=NOW)
    old, older = looked(watch.DRIFT_AGAIN + 1), looked(watch.DRIFT_AGAIN + 9)
    fresh = looked(1)

    def whose(seen: dict[str, Seen], *busy: str) -> str:
        found = turn(seen=seen, busy=busy)
        return found.id if found else ""

    assert whose({}) == "s01"
    assert whose({}, "s01") == "s02"
    assert whose({"s01": fresh, "s02": fresh}) == "s04"
    assert whose({"s01": fresh, "s02": fresh, "s04": fresh}) == ""
    assert whose({"s01": old, "s02": older, "s04": fresh}) == "s02"
    assert whose({"s01": fresh, "s02": fresh, "s04": looked(1, since="2026-11-20 07:30")}) == "s04"


def test_a_look_counts_for_the_lab_as_it_was(api: Kubernetes) -> None:
    class_ = Class(api, row("s01"), row("s02"))
    asked: list[str] = []
    tasks: dict[str, Task] = {}

    def look(student: str) -> Drift:
        asked.append(student)
        if student == "s02":  # the teacher asks for a repair meanwhile
            tasks["s02"] = Task("s02", "repair", "running", NOW)
        return Drift(
            student, "", (Finding("edited", "lab", "Pod", "", "x"), Finding("added", "student", "Pod", "", "y"))
        )

    watcher = Watcher(replace(class_.source, drift=look), tasks=lambda: tasks)
    watcher.refresh_drift()
    assert asked == []
    watcher.refresh_rows()
    for _ in range(4):
        watcher.refresh_drift()
    assert asked == ["s01", "s02"]
    first, second = watcher.snapshot().students
    assert first.seen is not None
    assert (first.seen.counts("lab"), first.seen.counts("student")) == ((("edited", 1),), (("added", 1),))
    assert second.seen is None
    tasks["s02"] = replace(tasks["s02"], state="done")
    watcher.forget("s01")
    watcher.refresh_drift()
    assert asked == ["s01", "s02", "s01"]


# -- what the page may be asked ------------------------------------------------------------------------------------


class Nobody:
    def do(self, action: Action, students: Sequence[str], report: Report) -> None:
        for one in students:
            report.end(one, ok=True)

    def interrupt(self) -> None:
        """Nothing runs."""


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"student": "s01", "action": "repair"}, 202, "s01: repair"),
        ({"student": "s01", "action": "reset", "confirm": "s01"}, 202, "s01: reset"),
        ({"student": "s01", "action": "reset"}, 400, "nothing was removed"),
        ({"student": "s01", "action": "reset", "confirm": "s02"}, 400, "nothing was removed"),
        ({"student": "s01", "action": "down"}, 400, "no such action"),
        ({"student": "s01", "action": ["up"]}, 400, "no such action"),
        ({"student": "s02", "action": "up"}, 404, "no such student"),
        ({"student": ["s01"], "action": "up"}, 404, "no such student"),
        ({}, 400, "no such action"),
    ],
)
def test_only_what_there_is_can_be_asked(asked: dict[str, Any], status: int, said: str) -> None:
    audit: list[str] = []
    worker = Worker(Nobody(), audit.append)
    answer = app._ask(app.Admin(worker, {"s01"}))(asked)
    assert (answer[0], said in answer[1]) == (status, True)
    assert bool(audit) == (status == 202)
    worker.interrupt()
    worker.join()


@pytest.mark.parametrize(("may", "status"), [(False, 403), (True, 202)])
def test_a_page_to_look_at_refuses_what_an_admins_does(api: Kubernetes, may: bool, status: int) -> None:
    key, live, audit = Key(8123), Live(), list[str]()
    worker = Worker(Nobody(), audit.append)
    admin = app.Admin(worker, {"s01"}) if may else None
    with app.running(Class(api, row("s01")).source, key, live, admin) as made:
        browser = Asking(made, "http://127.0.0.1:8123")
        browser.get(f"/?token={key.token}")
        assert ("stacklab-proof" in browser.get("/").text) is may
        assert browser.get("/admin.js").status_code == (200 if may else 404)
        headers = {"Origin": "http://127.0.0.1:8123", "X-Stacklab-Proof": key.proof}
        answer = browser.request("POST", "/do", json={"student": "s01", "action": "up"}, headers=headers)
        assert answer.status_code == status
        assert browser.get("/drift/s01").status_code == 404
    worker.interrupt()
    worker.join()
    assert bool(audit) is may
