"""`kubectl top` answers for every node and for pods. Just after `up` this takes about half a minute to become so."""

from __future__ import annotations

from dataclasses import dataclass

from modules.verify.context import Context
from modules.verify.finding import Look


@dataclass(frozen=True)
class Metrics:
    name: str = "metrics"
    description: str = "kubectl top answers for nodes and pods"
    hint: str = "kubectl get apiservice v1beta1.metrics.k8s.io; kubectl logs -n kube-system -l k8s-app=metrics-server"

    def look(self, context: Context) -> Look:
        """Every machine has a line with numbers, and pods have some."""
        lines = context.kubectl("top", "nodes", "--no-headers").stdout.splitlines()
        measured = {words[0]: words[1:] for line in lines if (words := line.split()) and "<unknown>" not in line}
        missing = [m.name for m in context.lab.machines if m.name not in measured]
        if missing:
            return Look(False, f"no numbers yet for {', '.join(missing)}")
        pods = context.kubectl("top", "pods", "--all-namespaces", "--no-headers").stdout.splitlines()
        if not pods:
            return Look(False, "no numbers for pods yet")
        return Look(True, f"{len(measured)} nodes and {len(pods)} pods measured")
