"""What this host can run, and what is missing: gathers what the checks judge, and sums up for each backend."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterable, Mapping

from modules.base.errors import CommandError
from modules.host import engine, facts, network
from modules.host.checks import BACKENDS, CHECKS, LIBRARY, TOOLS, Check, Seen

# What labs take when the stack file says nothing: machines of kind and minikube, of libvirt, services, pods.
BRIDGE = "sl-"  # what the bridges of labs on libvirt begin with
DEFAULT_RANGES = ("10.200.0.0/14", "192.168.26.0/24", "10.96.0.0/12", "10.244.0.0/16")


def examine(*, afresh: bool = False) -> tuple[Check, ...]:
    """All checks of this host. afresh: try the container engines again instead of trusting what is remembered."""
    return judge(gather(afresh=afresh))


def gather(*, afresh: bool = False) -> Seen:
    """Read everything that the checks judge."""
    trials = engine.survey(afresh=afresh)
    works = next((t.engine for t in trials if not t.reason), None)
    tools = {tool for tool in TOOLS if shutil.which(tool)}
    if importlib.util.find_spec("libvirt"):
        tools.add(LIBRARY)
    return Seen(facts.read(), trials, _conflicts(works), frozenset(tools))


def _conflicts(works: engine.Engine | None) -> tuple[network.Conflict, ...]:
    try:
        routes, nets = network.routes(), network.networks(works) if works else ()
    except CommandError:
        return ()  # no `ip`: setup/bootstrap installs it
    # Labs' own networks are where they should be.
    labs = {net.device for net in nets if net.name.startswith("stacklab-")}
    routes = tuple(route for route in routes if route.device not in labs and not route.device.startswith(BRIDGE))
    nets = tuple(net for net in nets if net.device not in labs)
    name = works.name if works else ""
    return tuple(c for wanted in DEFAULT_RANGES for c in network.overlaps(wanted, routes, nets, engine=name))


def judge(seen: Seen) -> tuple[Check, ...]:
    """Every check, in the order that people read them."""
    return tuple(check(seen) for check in CHECKS)


def backends(checks: Iterable[Check]) -> Mapping[str, tuple[str, ...]]:
    """For each backend the ids of the checks that keep it from running; none means it runs."""
    checks = tuple(checks)
    return {name: tuple(c.id for c in checks if c.status == "fail" and name in c.means) for name in BACKENDS}
