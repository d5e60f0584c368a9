"""The addons of a lab, found by themselves: every module of this package that holds an `ADDON` is one.

To add one, put a file next to the others (docs/addons.md); nothing else changes.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from addons.base import Addon
from modules.manifests import told_first
from modules.manifests.waiting import ADDRESS
from modules.topology.known import AddonFacts
from modules.topology.plan import LabPlan

if TYPE_CHECKING:  # what only wants the facts need not load Pulumi
    import pulumi

    from modules.cluster import Applied, Cluster


@dataclass(frozen=True)
class Installed:
    """One addon in a cluster: what it provides, and its objects as resources, which are told but may not run yet."""

    name: str
    provides: frozenset[str]
    applied: Applied


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


def install(plan: LabPlan, cluster: Cluster) -> Mapping[str, Installed]:
    """Everything the stack file lists: all of it is told to the cluster first, then each addon is waited for.

    The pods' network is told first, since what runs in all others waits for it.
    """
    import pulumi

    known = discover()
    wanted = sorted((known[name] for name in plan.addons), key=lambda a: ("cni" not in a.provides, a.name))
    gives_addresses = any("loadbalancer" in addon.provides for addon in wanted)
    installed: dict[str, Installed] = {}
    waits = []
    for addon in wanted:
        shown = pulumi.ComponentResource("stacklab:index:Addon", addon.name)
        objects, conditions = told_first(addon.objects(plan, plan.addons[addon.name]))
        applied = cluster.apply(addon.name, objects, shown)
        installed[addon.name] = Installed(addon.name, addon.provides, applied)
        waits.append((addon.name, [c for c in conditions if gives_addresses or c.until != ADDRESS], applied, shown))
    for name, conditions, applied, shown in waits:
        if conditions:
            cluster.ready(name, conditions, applied, shown, told(installed))
        shown.register_outputs({})
    return installed


def told(installed: Mapping[str, Installed]) -> list[pulumi.Resource]:
    """When these are there, the cluster knows of every object of every addon."""
    return [last for one in installed.values() for last in one.applied.last]
