"""Does this lab fit this host? Asked before anything is touched, so that `preview` already says no, with the reason."""

from __future__ import annotations

from collections.abc import Iterable

from modules.base.errors import HostError
from modules.host import facts, network
from modules.host.engine import Engine
from modules.host.facts import HostFacts
from modules.host.network import Conflict
from modules.topology.plan import LabPlan

_PROXY = {"ipvs": "ip_vs", "nftables": "nf_tables"}


def require(plan: LabPlan, engine: Engine) -> None:
    """Raise HostError with everything that keeps the lab from running here."""
    taken = network.conflicts(plan.network.machines, engine=engine, own=plan.network.name)
    found = problems(plan, facts.read(), taken)
    if found:
        raise HostError(
            found[0] if len(found) == 1 else f"{len(found)} things keep this lab from running on this host",
            where=f"stack {plan.stack}",
            output="\n".join(found) if len(found) > 1 else "",
            hint=f"change stacks/Pulumi.{plan.stack}.yaml; `stacklab doctor` says what this host can run",
        )


def problems(plan: LabPlan, host: HostFacts, taken: Iterable[Conflict]) -> tuple[str, ...]:
    """Pure: each problem with the key of the stack file that mends it."""
    found = [f"{conflict}; set network.machines to a free range" for conflict in taken]
    feature = _PROXY.get(plan.network.proxy)
    if feature and feature not in host.features:
        found.append(f"this kernel has no {feature}: set network.proxy to iptables instead of {plan.network.proxy}")
    return tuple(found)
