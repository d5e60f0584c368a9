"""Which settings of minikube's a lab can have on this host: asked before anything is touched."""

from __future__ import annotations

from modules.base.errors import HostError
from modules.host import engine, facts
from modules.topology.plan import LabPlan

# What minikube v1.38.1 itself starts from (pkg/drivers/kic/types.go:26-39), by the digest that its module pins.
OFFICIAL = "gcr.io/k8s-minikube/kicbase:v0.0.50@sha256:eb4fec00e8ad70adf8e6436f195cc429825ffb85f95afcdb5d8d9deb576f3e93"


def require(plan: LabPlan) -> None:
    """Raise HostError for a driver or an image that the lab cannot have on this host."""
    driver, chosen = plan.minikube.driver, engine.choose().name
    problem, hint = "", ""
    if driver not in ("auto", chosen):
        problem = f"the driver is {driver}, and the container engine of labs on this host is {chosen}"
        hint = f"minikube: {{driver: auto}}, or {engine.WISH}={driver} in the environment"
    elif plan.minikube.image == "official" and (why := _restricted(chosen)):
        problem = f"minikube's official image does not come up on this host: {why}"
        hint = "minikube: {image: own}, which finds out what the host allows"
    if problem:
        raise HostError(problem, where=f"stack {plan.stack}", hint=hint)


def _restricted(chosen: engine.Name) -> str:
    """What only our own image settles at its start."""
    host = facts.node_host(facts.read(), chosen)
    if host.cgroup_v1:
        return "its kubelet refuses cgroup v1"
    return "nobody may lower an OOM score here" if host.restrict_oom else ""
