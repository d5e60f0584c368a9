"""metallb."""

from __future__ import annotations

from typing import Any

from addons.base import Addon, Settings
from modules.topology.plan import LabPlan


class MetallbSettings(Settings):
    """No settings yet."""


def objects(plan: LabPlan, settings: MetallbSettings) -> list[dict[str, Any]]:
    return []


ADDON = Addon("metallb", frozenset({"loadbalancer"}), MetallbSettings, objects)
