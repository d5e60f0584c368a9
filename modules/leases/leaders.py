"""Leaders of a cluster that was at rest: the leases that they left held are released, so that nobody waits for them.

A controller manager that starts, and a scheduler, find the lease of the process that was there before the stop, and
wait until it has run out: 15 seconds, a minute on emulated machines. Nothing is scheduled or replaced meanwhile.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from modules import artifacts
from modules.base.errors import StacklabError
from modules.base.probe import Answer, wait_for
from modules.base.shell import run

log = logging.getLogger("stacklab.leases")

NAMESPACE = "--namespace=kube-system"
LEADERS = ("kube-controller-manager", "kube-scheduler")
PATIENCE = 60.0
"""Seconds; by then the leases have run out by themselves."""


def release(kubeconfig: Path, rested_until: datetime | None, *, where: str) -> None:
    """Nobody holds a leader's lease any more that was last renewed before a moment at which the whole cluster rested.

    None: some machine ran, and who leads may be alive. A failure does not matter: leases run out.
    """
    if rested_until is None:
        return
    try:
        _release([artifacts.binary("kubectl"), "--kubeconfig", kubeconfig, NAMESPACE], rested_until, where)
    except StacklabError as error:
        log.warning("%s", error)


def _release(kubectl: Sequence[str | Path], rested_until: datetime, where: str) -> None:
    def look() -> Answer[bool]:
        leases = run([*kubectl, "get", "leases", "--output=json"], timeout=30).stdout
        for name, version in left_held(leases, rested_until).items():
            run([*kubectl, "patch", "lease", name, "--type=json", f"--patch={patch(version)}"], timeout=30)
        return Answer(True)

    wait_for("the leases of former leaders are released", look, timeout=PATIENCE, every=1, where=where)


def left_held(leases: str, before: datetime) -> dict[str, str]:
    """Lease of a leader that was last renewed before that moment -> its resourceVersion. Pure."""
    return {
        one["metadata"]["name"]: one["metadata"]["resourceVersion"]
        for one in json.loads(leases)["items"]
        if one["metadata"]["name"] in LEADERS and _held(one["spec"]) and _renewed(one["spec"]) < before
    }


def patch(version: str) -> str:
    """Takes the holder out of the lease that was seen, and does nothing to any later one. Pure."""
    return json.dumps(
        [
            {"op": "test", "path": "/metadata/resourceVersion", "value": version},
            {"op": "remove", "path": "/spec/holderIdentity"},
        ]
    )


def _held(spec: Mapping[str, str]) -> bool:
    return bool(spec.get("holderIdentity")) and bool(spec.get("renewTime"))


def _renewed(spec: Mapping[str, str]) -> datetime:
    return datetime.fromisoformat(spec["renewTime"])
