"""metrics-server."""

from __future__ import annotations

from typing import Any

from addons.base import Addon, Settings
from modules.topology.plan import LabPlan


class MetricsServerSettings(Settings):
    """No settings yet."""


def objects(plan: LabPlan, settings: MetricsServerSettings) -> list[dict[str, Any]]:
    return []


ADDON = Addon("metrics-server", frozenset({"metrics"}), MetricsServerSettings, objects)
