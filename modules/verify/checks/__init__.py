"""The checks, one file each; `of` says which of them a lab is asked."""

from __future__ import annotations

from modules.verify.checks.clusterip import InCluster, PortForward
from modules.verify.checks.dns import ClusterDns
from modules.verify.checks.host import FromHost, at_each_machine
from modules.verify.checks.metrics import Metrics
from modules.verify.checks.nodes import NodesReady
from modules.verify.checks.pods import PodToPod
from modules.verify.checks.policy import PolicyBlocks
from modules.verify.checks.probing import ProbesRun
from modules.verify.checks.storage import ClaimsBound
from modules.verify.checks.workloads import WorkloadRuns
from modules.verify.finding import Check
from modules.verify.lab import Exposure, Lab


def of(lab: Lab) -> list[Check]:
    """Everything that holds in a healthy lab of this shape."""
    checks: list[Check] = [NodesReady(), ProbesRun(), ClusterDns(), PodToPod()]
    if "network-policy" in lab.provides:
        checks.append(PolicyBlocks())
    if "metrics" in lab.provides:
        checks.append(Metrics())
    checks += [WorkloadRuns(app) for app in lab.apps]
    checks += [ClaimsBound(app) for app in lab.apps if app.volume and app.workload != "cronjob"]
    for exposure in lab.exposures:
        if exposure.app.runs:
            checks += _reaching(lab, exposure)
    return checks


def _reaching(lab: Lab, exposure: Exposure) -> list[Check]:
    if exposure.kind == "clusterip":
        return [InCluster(exposure), PortForward(exposure)]
    if exposure.kind == "nodeport":
        return [*at_each_machine(exposure, lab.machines)]
    return [FromHost(exposure)]
