"""The dev lab at rest and back, before its story is told."""

from __future__ import annotations

from modules.host.engine import choose
from tests.support.labs import Lab


def states(lab: Lab) -> set[str]:
    names = [machine["name"] for machine in lab.outputs()["machines"]]
    return set(choose().run("inspect", "--format", "{{.State.Status}}", *names, timeout=30).stdout.split())


def test_stopped_and_started_it_is_the_same_lab(lab: Lab) -> None:
    before = lab.outputs()
    lab.project.run("stacklab", "stop", lab.stack).ok()
    assert states(lab) == {"exited"}
    lab.project.run("stacklab", "start", lab.stack).ok()
    lab.verify().ok()
    assert lab.outputs() == before
    lab.unchanged().ok()


def test_up_goes_on_with_a_paused_lab(lab: Lab) -> None:
    lab.project.run("stacklab", "pause", lab.stack).ok()
    assert states(lab) == {"paused"}
    assert "is paused" in lab.up().ok().output
    lab.verify().ok()
