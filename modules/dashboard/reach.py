"""One live check of one exposure: a single request, as verify makes many, from where a user stands."""

from __future__ import annotations

import time
from dataclasses import replace

from modules.base.errors import StacklabError
from modules.dashboard.model import Reach
from modules.verify.checks.clusterip import through_command
from modules.verify.checks.host import one_request
from modules.verify.checks.spread import judge
from modules.verify.kubectl import Kubectl
from modules.verify.lab import Exposure
from modules.verify.web import Reply

FORWARDING = 5.0
"""Seconds that a port-forward may take: whoever ends the command waits for one under way."""


def unasked(exposure: Exposure, evidence: str = "") -> Reach:
    """What the stack's outputs say of it."""
    return Reach(
        app=exposure.app.name,
        kind=exposure.kind,
        url=exposure.url,
        command=exposure.command,
        host=exposure.host,
        address=exposure.address,
        port=exposure.port,
        evidence=evidence,
    )


def look(exposure: Exposure, kubectl: Kubectl) -> Reach:
    """Ask once. A ClusterIP is asked through its printed command, everything else by address."""
    if not exposure.app.runs:
        return unasked(exposure, f"a {exposure.app.workload} without a pod that stays: not asked")
    if not exposure.address:
        return replace(unasked(exposure, "has no address yet"), ok=False)
    started = time.monotonic()
    try:
        reply = _forwarded(exposure, kubectl) if exposure.kind == "clusterip" else one_request(exposure)
    except StacklabError as error:
        return replace(unasked(exposure, error.in_one_line()), ok=False)
    spent = time.monotonic() - started
    seen = judge(exposure.app, [reply], pods=1, sticky=False)
    if not seen.ok:
        return replace(unasked(exposure, seen.evidence), ok=False)
    who = reply.pod or f"HTTP {reply.status}"
    # Most of a port-forward's time is kubectl's own: it says nothing of the app.
    answered = "answered" if exposure.kind == "clusterip" else f"answered in {_rough(spent)}"
    return replace(unasked(exposure, f"{who} {answered}"), ok=True)


def _forwarded(exposure: Exposure, kubectl: Kubectl) -> Reply:
    return through_command(exposure, kubectl, timeout=FORWARDING)


def _rough(seconds: float) -> str:
    """So rough that a page of a steady lab stays as it is."""
    for limit in (0.01, 0.03, 0.1, 0.3, 1):
        if seconds <= limit:
            return f"less than {limit * 1000:.0f} ms"
    return f"{seconds:.0f} s"
