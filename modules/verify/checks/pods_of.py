"""How many pods an app should answer with."""

from __future__ import annotations

from modules.verify.context import Context
from modules.verify.lab import NAMESPACE, App


def pods_of(context: Context, app: App) -> int:
    """The replicas of the stack file; for a daemonset the nodes it is meant for, as Kubernetes counts them."""
    if app.workload == "daemonset":
        status = context.kubectl.get("daemonset", app.name, "--namespace", NAMESPACE)["status"]
        return int(status.get("desiredNumberScheduled", 0))
    return app.replicas if app.replicas is not None else 1
