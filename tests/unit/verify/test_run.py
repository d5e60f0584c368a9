"""A whole run: deadlines, evidence, order, and that the namespace is removed whatever happens."""

from __future__ import annotations

import dataclasses
import json
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from modules.base.errors import CommandError, ProbeTimeoutError, StacklabError
from modules.verify import run
from modules.verify.context import Context
from modules.verify.finding import Finding, Look
from modules.verify.probes import GUARDED, MANAGER, PROBE, Probes, manifest, running, state_of
from tests.unit.verify.conftest import pod, probe_items
from tests.unit.verify.kubectl_fake import FakeKubectl


@dataclass
class Scripted:
    """A check that answers with one look after the other; the last one again and again."""

    name: str
    looks: list[Look | BaseException]
    description: str = "as the test says"
    hint: str = "look closer"
    calls: list[int] = field(default_factory=list)

    def look(self, context: Context) -> Look:
        self.calls.append(1)
        now = self.looks[min(len(self.calls), len(self.looks)) - 1]
        if isinstance(now, BaseException):
            raise now
        return now


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "EVERY", 0.01)


@pytest.fixture
def real(context: Context) -> Context:
    """The context with probes that are started and removed for real."""
    return dataclasses.replace(context, probes=Probes(context.kubectl, "docker.io/stacklab/echo:test"))


def settle(context: Context, *looks: Look | BaseException, timeout: float = 0.2) -> Finding:
    return run.settle(context, Scripted("c", list(looks)), timeout=timeout, stop=threading.Event())


def test_what_is_so_at_once(context: Context) -> None:
    found = settle(context, Look(True, "fine"))
    assert (found.ok, found.evidence, found.hint) == (True, "fine", "")


def test_what_becomes_so_says_how_often_it_was_asked(context: Context) -> None:
    failed = CommandError("kubectl failed", code=1, command="kubectl", output="a\nb\n")
    found = settle(context, Look(False, "not yet"), failed, Look(True, "fine"), timeout=5)
    assert (found.ok, found.evidence) == (True, "fine (try 3)")


def test_what_never_becomes_so_ends_with_the_last_evidence(context: Context) -> None:
    found = settle(context, Look(False, "first"), Look(False, "last"))
    assert (found.ok, found.evidence, found.hint) == (False, "last (after 0.2 s)", "look closer")
    failed = CommandError("kubectl failed", code=1, command="kubectl", output="a\nb\n")
    assert settle(context, failed).evidence == "kubectl failed: b (after 0.2 s)"


def test_what_cannot_become_so_is_not_asked_again(context: Context) -> None:
    check = Scripted("c", [Look(False, "never", final=True), Look(True, "fine")])
    found = run.settle(context, check, timeout=5, stop=threading.Event())
    assert (found.ok, found.evidence, len(check.calls)) == (False, "never", 1)


def test_findings_come_in_the_order_of_the_checks(real: Context, kubectl: FakeKubectl) -> None:
    seen: list[str] = []
    slow = Scripted("slow", [Look(False, "x"), Look(False, "x"), Look(True, "y")])
    found = run.verify(
        real, [slow, Scripted("quick", [Look(True, "z")])], timeout=5, on_finding=lambda f: seen.append(f.name)
    )
    assert [f.name for f in found] == ["slow", "quick"]
    assert sorted(seen) == ["quick", "slow"]
    assert kubectl.calls[-1].endswith(f"delete namespace {real.probes.namespace} --ignore-not-found --wait=false")


@pytest.mark.parametrize("bang", [KeyboardInterrupt(), RuntimeError("a bug")])
def test_the_namespace_is_removed_after_an_interrupt_or_a_bug(
    real: Context, kubectl: FakeKubectl, bang: BaseException
) -> None:
    never = Scripted("never", [Look(False, "no")])
    with pytest.raises(type(bang)):
        run.verify(real, [never, Scripted("bang", [bang])], timeout=30)
    assert "delete namespace" in kubectl.calls[-1]


def test_ctrl_c_ends_the_run_at_once_and_removes_the_namespace(real: Context, kubectl: FakeKubectl) -> None:
    main = threading.get_ident()

    @dataclass
    class Hangs(Scripted):
        def look(self, context: Context) -> Look:
            signal.pthread_kill(main, signal.SIGINT)
            threading.Event().wait(60)
            return Look(True, "")

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run.verify(real, [Hangs("hangs", [])], timeout=60)
    assert time.monotonic() - started < 20
    assert "delete namespace" in kubectl.calls[-1]


def test_an_api_server_that_does_not_answer(real: Context, kubectl: FakeKubectl) -> None:
    kubectl.on("get --raw /readyz", stderr="connection refused\n", code=1)
    with pytest.raises(ProbeTimeoutError, match="the API server answers") as caught:
        run.verify(real, [Scripted("c", [Look(True, "")])], timeout=0.1)
    assert "connection refused" in str(caught.value)
    assert not any("apply" in call for call in kubectl.calls)


def test_probes_are_there_once_they_all_run(real: Context, kubectl: FakeKubectl) -> None:
    with real.probes as probes:
        assert [p.node for p in probes.ready(20).probes] == ["m-control-plane", "m-worker", "m-worker2"]
    [applied] = [call for call in kubectl.calls if "apply" in call]
    assert f"--field-manager={MANAGER}" in applied


def test_probes_that_cannot_be_created_say_why_and_other_checks_go_on(real: Context, kubectl: FakeKubectl) -> None:
    kubectl.on("apply", stderr="Error from server (Forbidden): no namespaces for you\n", code=1)

    @dataclass
    class Needs(Scripted):
        def look(self, context: Context) -> Look:
            context.probes.ready(0.01)
            return Look(True, "")

    @dataclass
    class Impatient(Scripted):
        def look(self, context: Context) -> Look:
            running = context.probes.now(0.01)
            return Look(bool(running.probes), running.evidence)

    checks = [Needs("needs", []), Impatient("probes", []), Scripted("free", [Look(True, "fine")])]
    found = run.verify(real, checks, timeout=1)
    assert [f.ok for f in found] == [False, False, True]
    assert "see the check `probes`" in found[0].evidence
    assert "no namespaces for you" in found[1].evidence


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda items: items.clear(), "0 of 0 probe pods run"),
        (lambda items: items.pop(1), "2 of 3 probe pods run, with"),
        (lambda items: items.pop(), "3 of 3 probe pods run, without"),
        (lambda items: items[0]["status"].update(desiredNumberScheduled=0), "3 of 0 probe pods run"),
        (lambda items: items[1]["metadata"].update(deletionTimestamp="now"), "2 of 3 probe pods run, with"),
        (lambda items: items.append(pod("probe-9", "m-x", "", ready=False)), "probe-9 on m-x: Pending"),
    ],
)
def test_probes_that_do_not_all_run(change: Any, part: str) -> None:
    items = probe_items()
    assert running(items).probes
    change(items)
    assert running(items).probes == ()
    assert part in running(items).evidence


def test_a_probe_that_is_gone_is_asked_no_more_but_its_successor(real: Context, kubectl: FakeKubectl) -> None:
    later = probe_items()
    later[2] = pod("probe-7", "m-worker", "10.244.1.9")
    gone = 'Error from server (NotFound): pods "probe-1" not found'
    kubectl.on("get daemonsets,pods", stdout={"items": later}, needs="gone")
    kubectl.on("exec", "probe-1", stderr=gone, code=1, makes="gone")
    kubectl.on("exec", "probe-7", stdout="10.96.0.1\n")
    with real.probes as probes:
        lost = probes.ready().probes[1]
        assert lost.name == "probe-1"
        with pytest.raises(StacklabError, match='pods "probe-1" not found'):
            probes.lookup(lost, "kubernetes")
        successor = probes.ready().probes[1]
        assert (successor.name, successor.node) == ("probe-7", lost.node)
        assert probes.lookup(successor, "kubernetes") == ["10.96.0.1"]
        # Who still held the lost one learns that it is gone, and nobody else's pods are looked for again.
        with pytest.raises(StacklabError, match="could not ask"):
            probes.get(lost, "http://x/")
        assert probes.now(0).probes[1] is successor
    assert sum("apply" in call for call in kubectl.calls) == 2


def test_why_a_pod_waits() -> None:
    stuck = pod("p", "n", "", ready=False)
    stuck["status"]["containerStatuses"] = [
        {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}}
    ]
    assert state_of(stuck) == "p on n: Pending, ImagePullBackOff (Back-off pulling image)"
    del stuck["spec"]["nodeName"], stuck["status"]["containerStatuses"]
    stuck["status"]["conditions"] = [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes"}]
    assert state_of(stuck) == "p on no node: Pending, 0/3 nodes"


def test_manifest_keeps_to_its_namespace_and_to_the_restricted_standard() -> None:
    objects = manifest("stacklab-verify-x", "echo:1")["items"]
    assert [(o["kind"], o["metadata"]["name"]) for o in objects] == [
        ("Namespace", "stacklab-verify-x"),
        ("DaemonSet", PROBE),
        ("Pod", GUARDED),
    ]
    assert {o["metadata"]["namespace"] for o in objects[1:]} == {"stacklab-verify-x"}
    for spec in (objects[1]["spec"]["template"]["spec"], objects[2]["spec"]):
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["automountServiceAccountToken"] is False
        assert spec["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert spec["containers"][0]["image"] == "echo:1"
    assert objects[1]["spec"]["template"]["spec"]["tolerations"] == [{"operator": "Exists"}]
    assert json.dumps(objects).count("echo:1") == 2


def test_every_run_has_a_namespace_of_its_own(context: Context) -> None:
    names = {Probes(context.kubectl, "x").namespace for _ in range(20)}
    assert len(names) == 20
    assert all(name.startswith("stacklab-verify-") for name in names)
