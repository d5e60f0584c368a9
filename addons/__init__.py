"""The addons of a lab, found by themselves: every module of this package that holds an `ADDON` is one.

To add one, put a file next to the others (docs/addons.md); nothing else changes.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from addons.base import Addon
from modules.manifests import Object, told_first
from modules.manifests.objects import WORKLOADS, on_host_network
from modules.manifests.waiting import ADDRESS
from modules.topology.known import AddonFacts
from modules.topology.plan import LabPlan

if TYPE_CHECKING:  # what only wants the facts need not load Pulumi
    import pulumi

    from modules.cluster import Applied, Cluster


@dataclass(frozen=True)
class Installed:
    """One addon in a cluster: its objects, told but maybe not running; `network` is ready before any pod starts."""

    name: str
    provides: frozenset[str]
    applied: Applied
    network: tuple[pulumi.Resource, ...]


def discover() -> Mapping[str, Addon[Any]]:
    """Every addon by its name in the stack file, in alphabetical order."""
    found: dict[str, Addon[Any]] = {}
    for info in pkgutil.iter_modules(__path__):
        addon = getattr(importlib.import_module(f"{__name__}.{info.name}"), "ADDON", None)
        if isinstance(addon, Addon):
            found[addon.name] = addon
    return dict(sorted(found.items()))


def facts() -> Mapping[str, AddonFacts]:
    """What the topology must know of each addon to check a stack file."""
    return {name: AddonFacts(settings=addon.settings, provides=addon.provides) for name, addon in discover().items()}


def _needs_pod_network(objects: Sequence[Object]) -> bool:
    return not all(on_host_network(obj) for obj in objects if obj["kind"] in WORKLOADS)


def install(plan: LabPlan, cluster: Cluster) -> Mapping[str, Installed]:
    """Everything the stack file lists, in the order that is ready soonest.

    1. The pods' network is told to the cluster, and what runs on the machines' own; while they start, all that runs
       nothing by itself.
    2. Once it is ready, what runs: a pod that is started before is tried again only ten seconds later.
    3. Once everything has been told, each addon is waited for, and the cluster's own DNS.
    """
    import pulumi

    from modules.cluster import Turn

    known = discover()
    wanted = sorted((known[name] for name in plan.addons), key=lambda a: ("cni" not in a.provides, a.name))
    gives_addresses = any("loadbalancer" in addon.provides for addon in wanted)
    installed: dict[str, Installed] = {}
    later = []
    turn = Turn()
    for addon in wanted:
        shown = pulumi.ComponentResource("stacklab:index:Addon", addon.name)
        objects, conditions = told_first(addon.objects(plan, plan.addons[addon.name]))
        conditions = [c for c in conditions if gives_addresses or c.until != ADDRESS]
        applied = cluster.apply(addon.name, objects, shown, turn if _needs_pod_network(objects) else Turn())
        if "cni" in addon.provides:
            network = cluster.ready(addon.name, conditions, applied, shown, Turn(waits=applied.last), network=True)
            turn = Turn(told=applied.last, pods=(network,))
        else:
            later.append((addon.name, conditions, applied, shown))
        installed[addon.name] = Installed(addon.name, addon.provides, applied, turn.pods)
    everything = Turn(waits=tuple(last for one in installed.values() for last in one.applied.last))
    for name, conditions, applied, shown in later:
        if conditions:
            cluster.ready(name, conditions, applied, shown, everything)
        shown.register_outputs({})
    cluster.names_found(Turn(waits=(*everything.waits, *turn.pods)))
    return installed
