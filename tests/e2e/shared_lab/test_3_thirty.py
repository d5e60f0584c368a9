"""Thirty students in one lab: all have their share, also after a kill, and what they take of the lab is little."""

from __future__ import annotations

import json

import pytest

from modules.base.probe import Answer, wait_for
from tests.support import classes, shares
from tests.support.labs import Lab
from tests.support.project import Project, kill_group

CLASS = "thirty"
STUDENTS = [f"s{n:02}" for n in range(1, 31)]
MOST = 25 * 1024**2  # bytes of memory a student, besides the app


def told(project: Project, *words: str) -> dict[str, object]:
    shown = project.run("sh", "-c", 'exec "$@" 2>/dev/null', "sh", "stacklab", "class", *words, "--json", timeout=300)
    found: dict[str, object] = json.loads(shown.ok().output)
    return found


def kill_when_some_are_done(project: Project) -> None:
    """SIGKILL in the middle: the programs of those under way die with the command that ran them."""
    outcomes = project.folder / ".stacklab" / "classes" / CLASS / "outcomes.json"
    running = project.start("stacklab", "class", "up", CLASS)

    def look() -> Answer[int]:
        known = json.loads(outcomes.read_text()) if outcomes.exists() else {}
        done = sum(one["state"] == "done" for one in known.values())
        return Answer(done or None, f"nobody is done; ended: {running.poll()}")

    done = wait_for("the first have their share", look, timeout=90)
    kill_group(running)
    assert done < len(STUDENTS)


@pytest.mark.long
def test_thirty_have_their_share_and_leave_nothing(project: Project, shared: Lab) -> None:
    classes.write(project, CLASS, STUDENTS)
    before = shares.look(shared, CLASS)
    try:
        kill_when_some_are_done(project)
        running = shares.programs(shared)  # plugins that the kill left look for their engine every five minutes
        made = told(project, "up", CLASS)
        assert isinstance(made["students"], list)
        assert [(one["id"], one["state"]) for one in made["students"]] == [(one, "done") for one in STUDENTS]
        left = {pid: command for pid, command in shares.programs(shared).items() if pid not in running}
        assert left == {}, "a class that is up needs no programs of ours"
        checked = told(project, "verify", CLASS)
        assert isinstance(checked["students"], list)
        assert [one["ok"] for one in checked["students"]] == [True] * len(STUDENTS)
        stacks = project.run("pulumi", "stack", "ls", "--non-interactive").ok().output
        assert all(f"{CLASS}-{one}" in stacks for one in STUDENTS)
        spaces = shared.get("namespaces", "-l", f"stacklab.io/class={CLASS}")["items"]
        assert [one["metadata"]["name"] for one in spaces] == [f"{CLASS}-{one}" for one in STUDENTS]
        each = (shares.look(shared, CLASS).without_apps - before.without_apps) / len(STUDENTS)
        assert each < MOST, f"{each / 1024**2:.1f} MiB a student"
    finally:
        project.run("stacklab", "class", "down", CLASS, timeout=400).ok()
    assert shared.get("namespaces", "-l", f"stacklab.io/class={CLASS}")["items"] == []


def test_the_lab_goes_last(shared: Lab) -> None:
    """Nobody needs it any more, and others need the room."""
    shared.destroy().ok()
    shared.receipt().ok()
