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
from modules.manifests import Id
from modules.topology.known import AddonFacts
from modules.topology.plan import LabPlan

if TYPE_CHECKING:  # what only wants the facts need not load Pulumi
    from modules.cluster import Cluster, KubernetesObject


@dataclass(frozen=True)
class Installed:
    """One addon in a cluster: what it provides, and its objects as resources."""

    name: str
    provides: frozenset[str]
    objects: Mapping[Id, KubernetesObject]


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
    """Everything the stack file lists, all at once; the pods' network is begun first, since all others wait for it."""
    import pulumi

    known = discover()
    wanted = sorted((known[name] for name in plan.addons), key=lambda a: ("cni" not in a.provides, a.name))
    installed: dict[str, Installed] = {}
    for addon in wanted:
        shown = pulumi.ComponentResource("stacklab:index:Addon", addon.name)
        made = cluster.apply(addon.name, addon.objects(plan, plan.addons[addon.name]), shown)
        shown.register_outputs({})
        installed[addon.name] = Installed(addon.name, addon.provides, made)
    return installed
