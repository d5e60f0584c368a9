"""The addons of a lab, found by themselves: every module of this package that holds an `ADDON` is one.

To add one, put a file next to the others (docs/addons.md); nothing else changes.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

from addons.base import Addon
from modules.topology.known import AddonFacts


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
