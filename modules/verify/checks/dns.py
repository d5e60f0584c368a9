"""Cluster DNS answers to pods on every node."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from modules.verify.context import Context
from modules.verify.finding import Look

NAME = "kubernetes.default.svc.cluster.local"


@dataclass(frozen=True)
class ClusterDns:
    name: str = "dns"
    description: str = f"a pod on every node finds {NAME}"
    hint: str = "kubectl logs -n kube-system -l k8s-app=kube-dns"

    def look(self, context: Context) -> Look:
        """Ask from each probe; the answer must be the API server's service."""
        probes = context.probes.ready().probes
        service = context.kubectl.get("service", "kubernetes", "--namespace", "default")["spec"]["clusterIP"]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda probe: context.probes.lookup(probe, NAME), probes))
        wrong = [
            f"{p.node} got {', '.join(a) or 'nothing'}"
            for p, a in zip(probes, answers, strict=True)
            if service not in a
        ]
        if wrong:
            return Look(False, f"{NAME} is not {service}: " + "; ".join(wrong))
        return Look(True, f"{NAME} is {service}, asked on {len(probes)} nodes")
