"""Judging the replies of one exposure: all answered, and by the pods that should. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from modules.verify.finding import Look
from modules.verify.lab import App
from modules.verify.web import Reply

STICKY_REQUESTS = 20


def judge(app: App, replies: Sequence[Reply], *, pods: int, sticky: bool) -> Look:
    """Whether the replies are those of a healthy app of `pods` pods; of one pod only when `sticky`."""
    bad = [reply for reply in replies if not 200 <= reply.status < (400 if app.echo else 500)]
    if bad or not replies:
        return Look(
            False, f"{len(bad)} of {len(replies)} requests failed: {bad[0].shown}" if bad else "no request was made"
        )
    if not app.echo:
        return Look(True, f"HTTP {replies[0].status}")
    seen = Counter(reply.pod for reply in replies)
    if "" in seen:
        return Look(
            False, f"an answer that is not stacklab/echo's: {next(r.body for r in replies if not r.pod)[:80]!r}"
        )
    counts = ", ".join(f"{pod} {count}" for pod, count in sorted(seen.items()))
    if sticky:
        if len(seen) == 1:
            return Look(True, f"{len(replies)} requests stuck to {next(iter(seen))}")
        return Look(False, f"ClientIP affinity does not stick: {counts}", final=True)
    if len(seen) < pods:
        return Look(False, f"{len(seen)} of {pods} pods answered {len(replies)} requests: {counts}")
    return Look(True, f"{len(seen)} of {pods} pods answered {len(replies)} requests")


def complete(replies: Sequence[Reply], pods: int) -> bool:
    """Whether all pods were seen already, so that no more requests are needed."""
    return len({reply.pod for reply in replies if reply.pod}) >= pods
