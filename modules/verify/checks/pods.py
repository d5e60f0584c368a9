"""The pod network: a pod on every node reaches a pod on every other node by its address."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from modules.verify.context import Context
from modules.verify.finding import Look
from modules.verify.probes import PORT, Pod


@dataclass(frozen=True)
class PodToPod:
    name: str = "pod-to-pod"
    description: str = "pods on different nodes reach each other"
    hint: str = "kubectl get pods -n kube-system -o wide; kubectl logs -n kube-system -l k8s-app=calico-node"

    def look(self, context: Context) -> Look:
        """Each probe asks all the others; a lab of one node asks itself."""
        probes = context.probes.ready().probes

        def others(probe: Pod) -> list[str]:
            targets = [p for p in probes if p is not probe] or [probe]
            replies = context.probes.get(probe, *(f"http://{p.address}:{PORT}/" for p in targets))
            return [
                f"{probe.node} -> {target.node}: {reply.shown}"
                if reply.status != 200
                else f"not {target.name} answered"
                for target, reply in zip(targets, replies, strict=True)
                if reply.status != 200 or reply.pod != target.name
            ]

        with ThreadPoolExecutor(4) as pool:
            wrong = [line for lines in pool.map(others, probes) for line in lines]
        if wrong:
            return Look(False, "; ".join(wrong))
        pairs = len(probes) * max(1, len(probes) - 1)
        return Look(True, f"{pairs} pairs of {len(probes)} nodes")
