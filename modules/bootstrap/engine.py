"""Looking at a machine with steps, and applying them: the only part of the steps that talks to a machine.

look      all probes in one go over SSH; what of each step is not as it should be
apply     look, act in order, look again: what is still not so is an error
describe  the same as lines for a preview
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modules.base.errors import CommandError, StacklabError
from modules.bootstrap.step import Action, Run, Step, Upload, Write
from modules.machines.remote import Remote

ROUNDS = 2
LOOK = 120.0  # seconds for all probes together
Say = Callable[[str], None]


@dataclass(frozen=True)
class Found:
    """A step, what its probe printed, and what has to be done; no actions: the machine is as it should be."""

    step: Step
    actions: tuple[Action, ...]
    evidence: str = ""


def look(remote: Remote, steps: Sequence[Step]) -> tuple[Found, ...]:
    """Ask everything at once; changes nothing."""
    if not steps:
        return ()
    mark = secrets.token_hex(8)
    said = remote.run(probes(steps, mark), timeout=LOOK).stdout
    return tuple(
        Found(step, tuple(step.difference(text)), text)
        for step, text in zip(steps, answers(said, mark, steps, remote.login.machine), strict=True)
    )


def apply(remote: Remote, steps: Sequence[Step], say: Say) -> None:
    """Bring a machine to where no step finds a difference; each step has one try.

    What one step does may give another one work (a new configuration: containerd has to be started again), so all of
    them are looked at until there is nothing to do.
    """
    tried: set[str] = set()
    while True:
        wrong = [found for found in look(remote, steps) if found.actions]
        stayed = [found for found in wrong if found.step.name in tried]
        if stayed:
            first = stayed[0]
            raise StacklabError(
                f"step {first.step.name} was done and the machine still differs: {_why(first)}",
                where=remote.login.machine,
                output=first.evidence,
                hint="; ".join(describe(stayed[1:])),
            )
        if not wrong:
            return
        for found in wrong:
            for action in found.actions:
                if action.why:
                    say(f"{remote.login.machine}: {found.step.name}: {action.why}")
                act(remote, found.step, action, say)
            tried.add(found.step.name)


def act(remote: Remote, step: Step, action: Action, say: Say | None = None) -> None:
    """Do one action; what it prints is shown with the machine's name."""
    machine = remote.login.machine
    try:
        if isinstance(action, Write):
            remote.write(action.path, action.content, action.mode)
        elif isinstance(action, Upload):
            remote.upload(action.source, action.path, action.mode)
        else:
            remote.run(
                f"set -e\n{action.script}",
                timeout=action.timeout,
                redact=action.redact,
                on_line=(lambda line: say(f"{machine}: | {line}")) if say else None,
            )
    except CommandError as error:
        error.what = f"step {step.name}{f' ({action.why})' if action.why else ''}: {error.what}"
        raise


def undo(remote: Remote, steps: Sequence[Step], say: Say) -> None:
    """Take back what steps did, the last one first."""
    for step in reversed(steps):
        if step.undo:
            say(f"{remote.login.machine}: {step.name}: taken back")
            act(remote, step, Run("taken back", step.undo, timeout=300))


def _why(found: Found) -> str:
    return next((action.why for action in found.actions if action.why), "")


def describe(found: Sequence[Found]) -> list[str]:
    """What would run and why, a line for each action."""
    return [f"{one.step.name}: {_what(action)}" for one in found for action in one.actions if action.why]


def _what(action: Action) -> str:
    if isinstance(action, Write):
        return f"{action.why} (writes {action.path})"
    if isinstance(action, Upload):
        return f"{action.why} (uploads {action.path}, {_size(action)})"
    return f"{action.why} (runs a script)"


def _size(action: Upload) -> str:
    try:
        return f"{action.source.stat().st_size / 1e6:.1f} MB"
    except OSError:
        return "not in the cache yet"


def probes(steps: Sequence[Step], mark: str) -> str:
    """One script that runs each probe in a shell of its own, and frames what it prints. Pure.

    A probe can neither end the others, nor wait for input, nor print the frame: `mark` is drawn anew each time.
    """
    lines = []
    for number, step in enumerate(steps):
        lines.append(f"printf '%s\\n' '{mark} {number}'")
        lines.append(f"sh -c {shlex.quote(step.probe)} </dev/null")
        lines.append(f"printf '\\n%s\\n' '{mark} end'")
    return "\n".join(lines) + "\n"


def answers(said: str, mark: str, steps: Sequence[Step], machine: str) -> list[str]:
    """What each probe printed, out of what all of them did. Pure."""
    found = []
    rest = said
    for number, step in enumerate(steps):
        begin, end = f"{mark} {number}\n", f"\n{mark} end\n"
        before, has_begin, after = rest.partition(begin)
        text, has_end, rest = after.partition(end)
        if not has_begin or not has_end:
            raise StacklabError(f"the probe of step {step.name} gave no answer", where=machine, output=before + after)
        found.append(text)
    return found
