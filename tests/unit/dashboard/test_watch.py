"""What is known of a lab over time: it rests, comes back, is edited, and is asked no more than needed."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from modules.dashboard import picture, reach, watch
from modules.dashboard.watch import Watcher
from modules.pages.live import Live
from modules.verify.lab import App
from tests.support.dashboard import source
from tests.support.servers.kubernetes import Kubernetes
from tests.unit.dashboard.conftest import MACHINES, FakeLab, exposures


@pytest.fixture
def watcher(lab: FakeLab) -> Watcher:
    made = source(lab.file)
    return Watcher(made, made.lab())


def test_one_snapshot_has_everything(lab: FakeLab) -> None:
    found = watch.once(source(lab.file))
    assert [m.word for m in found.cluster.machines] == ["Ready"] * 3
    assert [p.app for p in found.cluster.pods].count("kubia") == 3
    assert [(r.kind, r.ok) for r in found.reaches] == [
        *(("clusterip", True), ("nodeport", True), ("loadbalancer", True), ("ingress", True)),
    ]
    assert "kubia-7d4b9-x2x4z answered" in found.reaches[0].evidence
    assert "port-forward" in lab.kubectl.calls[-1]
    assert found.away is None


def test_what_does_not_answer_is_told(lab: FakeLab) -> None:
    closed = exposures(1)
    lab.kubectl.on("port-forward", stderr="error: no pods", code=1)
    lab.describe(exposures=closed)
    found = watch.once(source(lab.file))
    assert [r.ok for r in found.reaches] == [False] * 4
    assert "no pods" in found.reaches[0].evidence
    assert "refused" in found.reaches[1].evidence


def test_what_has_no_address_yet_and_what_serves_nothing(watcher: Watcher) -> None:
    exposure = watcher.lab.exposures[2]
    kubectl = watcher.source.kubectl(watcher.lab.kubeconfig)
    assert reach.look(replace(exposure, address=""), kubectl).ok is False
    job = App("once", "job", 1, sticky=False, echo=True, volume=False)
    assert reach.look(replace(exposure, app=job), kubectl).ok is None


def test_a_stopped_lab_says_so_and_comes_back(lab: FakeLab, watcher: Watcher) -> None:
    watcher.refresh_cluster()
    watcher.refresh_reaches()
    lab.api.away = True
    lab.describe(states={m["name"]: "exited" for m in MACHINES})
    watcher.refresh_cluster()
    rests = watcher.snapshot()
    assert rests.away is not None
    assert rests.away.next == "stacklab start dev"
    assert [m.word for m in rests.cluster.machines] == ["Exited"] * 3
    assert {r.ok for r in rests.reaches} == {None}
    before = len(lab.kubectl.calls)
    watcher.refresh_reaches()
    assert len(lab.kubectl.calls) == before

    lab.api.away = False
    watcher.refresh_cluster()
    watcher.refresh_reaches()
    back = watcher.snapshot()
    assert back.away is None
    assert {r.ok for r in back.reaches} == {True}


def test_a_lab_that_was_made_anew_is_read_with_its_new_kubeconfig(
    lab: FakeLab, watcher: Watcher, tmp_path: Path
) -> None:
    watcher.refresh_cluster()
    with Kubernetes(tmp_path / "anew") as anew:
        anew.add_node("dev-control-plane", "10.200.1.11")
        watcher.lab.kubeconfig.write_text(anew.kubeconfig.read_text())
        lab.api.away = True
        watcher.refresh_cluster()
        assert watcher.snapshot().away is not None
        watcher.refresh_cluster()
        assert watcher.snapshot().away is None
        assert [m.word for m in watcher.snapshot().cluster.machines] == ["Ready", "Missing", "Missing"]
        watcher.close()


def test_nothing_is_shown_before_the_first_look(lab: FakeLab, watcher: Watcher) -> None:
    watcher.refresh_reaches()
    assert not watcher.knows
    watcher.refresh_cluster()
    assert watcher.knows


def test_a_lab_whose_backend_tells_nothing(lab: FakeLab, watcher: Watcher) -> None:
    lab.api.away = True
    lab.describe(states={})
    watcher.refresh_cluster()
    away = watcher.snapshot().away
    assert away is not None
    assert "pulumi refresh" in away.next


def test_an_edit_of_the_stack_is_seen(lab: FakeLab, watcher: Watcher) -> None:
    lab.describe(exposures=exposures(lab.port)[:1])
    watcher.refresh_lab()
    watcher.refresh_reaches()
    assert [r.kind for r in watcher.snapshot().reaches] == ["clusterip"]


def test_a_lab_that_was_destroyed_meanwhile(lab: FakeLab, watcher: Watcher) -> None:
    lab.describe(kubeconfig="")
    watcher.refresh_lab()
    gone = watcher.snapshot().away
    assert gone is not None
    assert "no running lab" in gone.evidence
    assert "make up STACK=dev" in gone.next
    lab.describe(kubeconfig=str(lab.api.kubeconfig))
    watcher.refresh_lab()
    assert watcher.snapshot().away is None


def test_a_port_forward_is_started_only_now_and_then(lab: FakeLab, watcher: Watcher) -> None:
    for _ in range(1 + watch.FORWARD_EVERY):
        watcher.refresh_reaches()
    assert sum("port-forward" in call for call in lab.kubectl.calls) == 2


def test_a_mistake_of_ours_is_shown_and_passes(watcher: Watcher) -> None:
    def wrong() -> None:
        raise KeyError("metadata")

    watcher.survive(wrong)
    shown = watcher.snapshot().away
    assert shown is not None
    assert "KeyError" in shown.evidence
    watcher.refresh_lab()
    assert watcher.snapshot().away is None


def test_nobody_is_asked_while_nobody_looks(lab: FakeLab, watcher: Watcher) -> None:
    live = Live()
    with watch.kept_fresh(watcher, live, picture.parts):
        live.pause(0.2)
    assert lab.api.asked == []
    assert live.parts == {}


def test_whoever_looks_first_sees_no_empty_lab(lab: FakeLab, watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API is slow, the apps are not."""
    slow, asked = threading.Event(), threading.Event()
    look, reaches = watcher.refresh_cluster, watcher.refresh_reaches

    def look_late() -> None:
        slow.wait(20)
        look()

    def ask_and_tell() -> None:
        reaches()
        asked.set()

    monkeypatch.setattr(watcher, "refresh_cluster", look_late)
    monkeypatch.setattr(watcher, "refresh_reaches", ask_and_tell)
    monkeypatch.setattr(watch, "REACH_EVERY", 0.01)

    async def first(live: Live) -> str:
        stream = live.stream()
        await anext(stream)
        for _ in range(2):  # the second time what the first found was put, or not
            asked.clear()
            await asyncio.to_thread(asked.wait, 20)
        assert live.parts == {}
        slow.set()
        return (await anext(stream)).decode()

    live = Live()
    with watch.kept_fresh(watcher, live, picture.parts):
        assert "dev-control-plane" in asyncio.run(first(live))


def test_what_is_known_can_be_json(lab: FakeLab) -> None:
    from modules.dashboard.report import as_data

    assert json.loads(json.dumps(as_data(watch.once(source(lab.file)))))["stack"] == "dev"
