"""Which settings of minikube's a lab can have here: asked before anything is touched."""

from __future__ import annotations

from modules.base.errors import HostError
from modules.host import engine
from modules.topology.plan import LabPlan


def require(plan: LabPlan) -> None:
    """Raise HostError for a driver or a runtime that the lab cannot have on this host."""
    driver, runtime = plan.minikube.driver, plan.minikube.runtime
    problem, hint = "", ""
    if driver != "auto" and driver != (chosen := engine.choose().name):
        problem = f"the driver is {driver}, and the container engine of labs on this host is {chosen}"
        hint = f"minikube: {{driver: auto}}, or {engine.WISH}={driver} in the environment"
    elif runtime != "containerd":
        problem = f"the machines' image is made with containerd, not with {runtime}"
        hint = "minikube: {runtime: containerd}"
    if problem:
        raise HostError(problem, where=f"stack {plan.stack}", hint=hint)
