"""A lock whose holder is dead is taken away where nobody else can have it; and what is told of failures."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any

import pytest
from pulumi.automation import CommandResult, DiagnosticEvent, EngineEvent
from pulumi.automation.errors import ConcurrentUpdateError, StackAlreadyExistsError

from modules.base.errors import StacklabError
from modules.classroom.engine import Engine, _held, _listener, _Workspace
from modules.classroom.phases import Progress


class Stack:
    """Pulumi's stack, as far as a lock goes."""

    name = "cka-s07"

    def __init__(self, told: str) -> None:
        self.told, self.done = told, list[str]()

    def cancel(self) -> None:
        self.done.append("cancel")

    def change(self) -> None:
        if "cancel" not in self.done:
            raise ConcurrentUpdateError(CommandResult("", self.told, 255))
        self.done.append("change")


@pytest.fixture
def stack() -> Stack:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    return Stack(f"locked: created by ada@{socket.gethostname()} (pid {ended.pid}) at 2026-11-21T17:41:43Z")


def guarded(stack: Any, *, reached_by_others: bool) -> None:
    engine = Engine.__new__(Engine)
    engine._reached_by_others = reached_by_others
    engine._guarded(stack, stack.change, Progress(0.0))


def test_in_this_checkout_it_goes(stack: Stack) -> None:
    guarded(stack, reached_by_others=False)
    assert stack.done == ["cancel", "change"]


def test_among_teachers_it_stays_and_is_told(stack: Stack) -> None:
    with pytest.raises(StacklabError, match="changing this lab: ada on"):
        guarded(stack, reached_by_others=True)
    assert stack.done == []


def test_of_another_machine_it_stays(stack: Stack) -> None:
    stack.told = stack.told.replace("ada@", "ada@not-")
    with pytest.raises(StacklabError, match="changing this lab: ada on not-"):
        guarded(stack, reached_by_others=False)
    assert stack.done == []


def test_one_that_another_teacher_made_meanwhile_is_taken_as_it_is() -> None:
    made: list[str] = []

    class Workspace(_Workspace):
        def create_stack(self, stack_name: str) -> None:
            made.append(stack_name)
            raise StackAlreadyExistsError(CommandResult("", f"error: stack '{stack_name}' already exists", 255))

    assert _held("cka-s07", Workspace.__new__(Workspace), new=True).name == "cka-s07"
    assert made == ["cka-s07"]


def test_what_many_objects_complain_of_is_told_once() -> None:
    progress = Progress(0.0)
    listen = _listener(progress, lambda: None)
    for message in ("error: no answer", "<{%reset%}>no answer", "update failed", "another"):
        told = DiagnosticEvent(message=message, color="never", severity="error")
        listen(EngineEvent(sequence=0, timestamp=0, diagnostic_event=told))
    assert progress.errors == ["no answer", "another"]
