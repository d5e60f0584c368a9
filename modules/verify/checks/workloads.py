"""Each workload is what the stack file says: all replicas ready and of the newest edit, a job completed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modules.verify.context import Context
from modules.verify.finding import Look
from modules.verify.lab import NAMESPACE, App


@dataclass(frozen=True)
class WorkloadRuns:
    app: App

    @property
    def name(self) -> str:
        return f"{self.app.name}/{self.app.workload}"

    @property
    def description(self) -> str:
        return "completed" if self.app.workload in ("job", "cronjob") else "all replicas are ready"

    @property
    def hint(self) -> str:
        return f"kubectl describe {self.app.workload} {self.app.name}; pulumi up when the stack file was edited"

    def look(self, context: Context) -> Look:
        """Read the workload's own status."""
        found = context.kubectl.get(self.app.workload, self.app.name, "--namespace", NAMESPACE)
        return judge(self.app, found)


def judge(app: App, found: Mapping[str, Any]) -> Look:
    """What a workload object says of itself. Pure."""
    status = found.get("status") or {}
    if app.workload == "job":
        return _job(app, status)
    if app.workload == "cronjob":
        return _cronjob(found, status)
    if status.get("observedGeneration", 0) < found["metadata"].get("generation", 0):
        return Look(False, "the newest edit is not seen yet")
    if app.workload == "daemonset":
        wanted, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
        fresh = status.get("updatedNumberScheduled", 0)
    else:
        wanted, ready = app.replicas if app.replicas is not None else 1, status.get("readyReplicas", 0)
        fresh = ready if app.workload == "replicaset" else status.get("updatedReplicas", 0)
    evidence = f"{ready} of {wanted} ready"
    return Look(ready == wanted == fresh, evidence if fresh == wanted else f"{evidence}, {fresh} up to date")


def _job(app: App, status: Mapping[str, Any]) -> Look:
    conditions = {c["type"]: c for c in status.get("conditions", []) if c["status"] == "True"}
    if "Failed" in conditions:
        failed = conditions["Failed"]
        return Look(False, f"failed: {failed.get('reason', '')} {failed.get('message', '')}".strip(), final=True)
    done = status.get("succeeded", 0)
    return Look("Complete" in conditions, f"{done} of {app.completions} completed")


def _cronjob(found: Mapping[str, Any], status: Mapping[str, Any]) -> Look:
    if found["spec"].get("suspend"):
        return Look(False, "suspended", final=True)
    schedule = found["spec"]["schedule"]
    if last := status.get("lastSuccessfulTime"):
        return Look(True, f"{schedule}, last completed at {last}")
    if begun := status.get("lastScheduleTime"):
        return Look(False, f"{schedule}, begun at {begun}, not completed yet")
    return Look(True, f"{schedule}, not due yet")
