"""Joins what the topology may name: the catalogue's Kubernetes versions and the addons that are there."""

from __future__ import annotations

import addons
from modules.artifacts import catalogue
from modules.topology.known import Known


def known() -> Known:
    return Known(kubernetes=tuple(catalogue.KUBERNETES), addons=addons.facts())
