"""Calico: pod network and NetworkPolicy. The manifest is the module's own calico-vxlan."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from addons.base import Addon, Settings
from modules.topology.plan import LabPlan


class CalicoSettings(Settings):
    """encapsulation: how packets cross machines; mtu: `auto` lets Calico take the machines' network's less its header."""

    encapsulation: Literal["vxlan", "vxlan-cross-subnet", "ipip", "ipip-cross-subnet", "none"] = "vxlan"
    mtu: Literal["auto"] | Annotated[int, Field(ge=576, le=9000)] = "auto"


def objects(plan: LabPlan, settings: CalicoSettings) -> list[dict[str, Any]]:
    return []


ADDON = Addon("calico", frozenset({"cni"}), CalicoSettings, objects)
