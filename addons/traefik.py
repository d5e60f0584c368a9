"""Traefik: the ingress controller, behind an address of the load balancer."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from addons.base import Addon, Settings
from modules.topology.plan import LabPlan


class TraefikSettings(Settings):
    """replicas: how many proxies share the load."""

    replicas: Annotated[int, Field(ge=1, le=20)] = 1


def objects(plan: LabPlan, settings: TraefikSettings) -> list[dict[str, Any]]:
    return []


ADDON = Addon("traefik", frozenset({"ingress"}), TraefikSettings, objects)
