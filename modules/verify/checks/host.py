"""NodePort, LoadBalancer and Ingress, asked from this machine: where a user's browser stands."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from modules.verify.checks.pods_of import pods_of
from modules.verify.checks.spread import STICKY_REQUESTS, complete, judge
from modules.verify.context import Context
from modules.verify.finding import Look
from modules.verify.lab import Exposure, Machine, enough_requests
from modules.verify.web import Reply, ask

HINTS = {
    "nodeport": "kubectl get service,endpointslices -A; kubectl logs -n kube-system -l k8s-app=kube-proxy",
    "loadbalancer": "kubectl get service -A; kubectl logs -n metallb-system -l component=speaker",
    "ingress": "kubectl describe ingress; kubectl logs -n traefik -l app.kubernetes.io/name=traefik",
}


@dataclass(frozen=True)
class FromHost:
    """One address of an exposure: it answers, from all pods, or from one when the app is sticky."""

    exposure: Exposure
    at: str = ""

    @property
    def name(self) -> str:
        return f"{self.exposure.app.name}/{self.exposure.kind}" + (f"@{self.at}" if self.at else "")

    @property
    def description(self) -> str:
        host = f" with Host {self.exposure.host}" if self.exposure.kind == "ingress" else ""
        return f"{self.exposure.target}{host} answers on this machine"

    @property
    def hint(self) -> str:
        return HINTS[self.exposure.kind]

    def look(self, context: Context) -> Look:
        """Ask until every pod has answered, or so often that one must be missing."""
        exposure, app = self.exposure, self.exposure.app
        if not exposure.address:
            return Look(False, "has no address")
        pods = pods_of(context, app) if app.echo else 1
        # The ingress controller connects to pods itself: what sticks at a service does not stick there.
        sticky = app.sticky and exposure.kind != "ingress"
        if app.sticky and not sticky:
            pods = 1
        replies: list[Reply] = []
        for _ in range(STICKY_REQUESTS if sticky else enough_requests(pods)):
            replies.append(one_request(exposure))
            if replies[-1].status == 0 or (not sticky and complete(replies, pods)):
                break
        return judge(app, replies, pods=pods, sticky=sticky)


def one_request(exposure: Exposure) -> Reply:
    """What a user's browser on this machine gets."""
    return ask(exposure.target, host=exposure.host if exposure.kind == "ingress" else "")


def at_each_machine(exposure: Exposure, machines: Sequence[Machine]) -> list[FromHost]:
    """A NodePort is open on every machine, whichever runs the pods."""
    return [FromHost(dataclasses.replace(exposure, address=m.address), at=m.name) for m in machines]
