"""local-path."""

from __future__ import annotations

from typing import Any

from addons.base import Addon, Settings
from modules.topology.plan import LabPlan


class LocalPathSettings(Settings):
    """No settings yet."""


def objects(plan: LabPlan, settings: LocalPathSettings) -> list[dict[str, Any]]:
    return []


ADDON = Addon("local-path", frozenset({"storage"}), LocalPathSettings, objects)
