"""Why the API does not answer, and the next step: from what the backend says of its machines. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from modules.base.errors import StacklabError
from modules.dashboard.model import Away, Cluster, Machine
from modules.verify.lab import Lab

RUNNING = "running"
PAUSED = "paused"


def why(stack: str, error: StacklabError, states: Mapping[str, str] | StacklabError) -> Away:
    """`states` is machine -> running | paused | exited | ..., or why nobody can tell."""
    seen = error.in_one_line()
    if isinstance(states, StacklabError):
        step = f"pulumi refresh --stack {stack} tells whether its machines are there; pulumi up brings them back"
        return Away("The lab does not answer", f"{seen} ({states.in_one_line()})", step)
    resting = sorted(name for name, state in states.items() if state != RUNNING)
    paused = [name for name in resting if states[name] == PAUSED]
    if not resting:
        step = f"wait a little; if it stays so: stacklab verify {stack}"
        return Away("The machines run, the lab does not answer yet", seen, step)
    all_of_them = len(resting) == len(states)
    if len(paused) == len(resting):
        what = "The lab is paused" if all_of_them else f"Paused: {', '.join(paused)}"
        return Away(what, _told(states), f"stacklab unpause {stack}")
    what = "The lab is stopped" if all_of_them else f"Stopped: {', '.join(resting)}"
    return Away(what, _told(states), f"stacklab start {stack}")


def machines(lab: Lab, states: Mapping[str, str] | StacklabError) -> Cluster:
    """The machines as they can be shown without the API."""
    known = {} if isinstance(states, StacklabError) else states
    return Cluster(
        machines=tuple(
            Machine(m.name, m.role, m.address, "plain" if known.get(m.name) == RUNNING else "wait", word.capitalize())
            for m in lab.machines
            for word in [known.get(m.name, "unknown")]
        )
    )


def _told(states: Mapping[str, str]) -> str:
    return ", ".join(f"{name} is {state}" for name, state in sorted(states.items()))
