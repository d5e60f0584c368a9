"""Runs the checks side by side, each until it is so or its deadline passes, and removes the probes whatever happens."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence

from modules.base.errors import ProbeTimeoutError, StacklabError
from modules.base.probe import Answer, wait_for
from modules.verify.context import Context
from modules.verify.finding import Check, Finding, Look

EVERY, SLOWEST = 0.5, 15.0


class _StoppedError(Exception):
    """The run was interrupted: the check's answer is of no interest any more."""


def verify(
    context: Context,
    checks: Sequence[Check],
    *,
    timeout: float,
    on_finding: Callable[[Finding], None] = lambda _: None,
) -> list[Finding]:
    """The findings in the order of the checks. An API server that does not answer in time is an error."""
    wait_for(
        "the API server answers",
        lambda: Answer(context.kubectl("get", "--raw", "/readyz", timeout=10).stdout),
        timeout=timeout,
        where=f"stack {context.lab.stack}",
        hint="stacklab doctor; pulumi refresh shows whether machines are gone",
    )
    stop = threading.Event()
    done: queue.SimpleQueue[tuple[int, Finding | BaseException]] = queue.SimpleQueue()

    def work(place: int, check: Check) -> None:
        try:
            done.put((place, settle(context, check, timeout=timeout, stop=stop)))
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits
            done.put((place, error))

    findings: dict[int, Finding] = {}
    with context.probes:
        # Daemon threads: after Ctrl-C nobody waits for a check that hangs.
        for place, check in enumerate(checks):
            threading.Thread(target=work, args=(place, check), daemon=True, name=check.name).start()
        try:
            while len(findings) < len(checks):
                try:
                    place, outcome = done.get(timeout=1)  # for ever would not be woken by every Ctrl-C
                except queue.Empty:
                    continue
                if isinstance(outcome, BaseException):
                    raise outcome
                findings[place] = outcome
                on_finding(outcome)
        finally:
            stop.set()
    return [findings[place] for place in sorted(findings)]


def settle(context: Context, check: Check, *, timeout: float, stop: threading.Event) -> Finding:
    """Look until it is so, cannot become so, or the time is over; the last evidence is what counts."""
    started = time.monotonic()
    tries = 0

    def look() -> Answer[Look]:
        nonlocal tries
        if stop.is_set():
            raise _StoppedError
        tries += 1
        try:
            seen = check.look(context)
        except StacklabError as error:
            seen = Look(False, error.in_one_line())
        return Answer(seen if seen.ok or seen.final else None, seen.evidence)

    try:
        seen = wait_for(check.name, look, timeout=timeout, every=EVERY, slowest=SLOWEST)
    except ProbeTimeoutError as error:
        seen = Look(False, f"{error.output} (after {timeout:g} s)")
    seconds = time.monotonic() - started
    evidence = f"{seen.evidence} (try {tries})" if seen.ok and tries > 1 else seen.evidence
    return Finding(check.name, check.description, seen.ok, evidence, seconds, "" if seen.ok else check.hint)
