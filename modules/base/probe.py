"""Waiting without sleeping blindly: ask again until the answer is yes, or fail with the last evidence."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from modules.base.errors import ProbeTimeoutError, StacklabError

T = TypeVar("T")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """One look: `value` when the condition holds, else None with `evidence` of how things stand."""

    value: T | None
    evidence: str = ""


def wait_for(
    what: str,
    look: Callable[[], Answer[T]],
    *,
    timeout: float,
    every: float = 0.25,
    slowest: float = 0,
    where: str = "",
    hint: str = "",
) -> T:
    """Call `look` until it answers with a value; after `timeout` seconds fail with the last evidence.

    A StacklabError raised by `look` counts as "not yet", its text as the evidence. slowest: see `pause`.
    """
    started = time.monotonic()
    deadline = started + timeout
    while True:
        try:
            answer = look()
        except StacklabError as error:
            answer = Answer(None, str(error))
        if answer.value is not None:
            return answer.value
        if time.monotonic() >= deadline:
            raise ProbeTimeoutError(
                f"{what}: not so after {timeout:g} s", where=where, output=answer.evidence, hint=hint
            )
        time.sleep(pause(time.monotonic() - started, every, slowest))


def pause(waited: float, every: float, slowest: float) -> float:
    """Seconds until the next look: a tenth of those waited so far, but not less than `every` nor more than `slowest`.

    Who has waited long asks rarely: each question is work for one that may be late because it has too much of it. Pure.
    """
    return max(every, min(waited / 10, slowest))
