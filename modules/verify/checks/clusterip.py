"""ClusterIP: asked by a pod inside the cluster, and once by the port-forward command that the outputs print."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from modules.verify.checks.pods_of import pods_of
from modules.verify.checks.spread import STICKY_REQUESTS, judge
from modules.verify.context import Context
from modules.verify.finding import Look
from modules.verify.forward import ask_through
from modules.verify.kubectl import Kubectl
from modules.verify.lab import NAMESPACE, Exposure, enough_requests, forwarded
from modules.verify.web import Reply

HINT = "kubectl get service,endpointslices,pods -o wide"
MOST = 300
"""Requests of one look: more would make the check slow where hundreds of pods answer."""


@dataclass(frozen=True)
class InCluster:
    """The service by its DNS name, from a probe pod."""

    exposure: Exposure
    hint: str = HINT

    @property
    def name(self) -> str:
        return f"{self.exposure.app.name}/clusterip"

    @property
    def description(self) -> str:
        return "the service answers to a pod in another namespace, by its DNS name"

    def look(self, context: Context) -> Look:
        """All pods answer one probe; only one does when the app is sticky."""
        app = self.exposure.app
        _, service, port = forwarded(self.exposure.command)
        probe = context.probes.ready().probes[-1]
        pods = pods_of(context, app) if app.echo else 1
        count = STICKY_REQUESTS if app.sticky else min(MOST, enough_requests(pods))
        url = f"http://{service}.{NAMESPACE}.svc:{port}/"
        return judge(app, context.probes.get(probe, url, count=count, fail_fast=True), pods=pods, sticky=app.sticky)


@dataclass(frozen=True)
class PortForward:
    """The printed command, with a free local port in place of the printed one."""

    exposure: Exposure
    hint: str = HINT

    @property
    def name(self) -> str:
        return f"{self.exposure.app.name}/port-forward"

    @property
    def description(self) -> str:
        return f"the printed command reaches the app: {self.exposure.command}"

    def look(self, context: Context) -> Look:
        """One request through it."""
        return judge(self.exposure.app, [through_command(self.exposure, context.kubectl)], pods=1, sticky=False)


def through_command(exposure: Exposure, kubectl: Kubectl, *, timeout: float = 15) -> Reply:
    """What the app says to one request through the printed command, run by the lab's own kubectl."""
    words, _, _ = forwarded(exposure.command)
    if Path(words[0]).name == "kubectl":
        words[0] = os.fspath(kubectl.binary)
    return ask_through(words, timeout=timeout)
