"""The pods verify asks from, one on every node. When they do not run, this check says why, once for all others."""

from __future__ import annotations

from dataclasses import dataclass

from modules.verify.context import Context
from modules.verify.finding import Look


@dataclass(frozen=True)
class ProbesRun:
    name: str = "probes"
    description: str = "a new pod starts on every node"
    hint: str = "kubectl get pods -A -o wide; is stacklab/echo in the node image?"

    def look(self, context: Context) -> Look:
        """Wait for them for a while."""
        running = context.probes.now(10)
        nodes = len({pod.node for pod in running.probes})
        return Look(True, f"new pods run on {nodes} nodes") if running.probes else Look(False, running.evidence)
