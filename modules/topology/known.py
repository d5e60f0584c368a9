"""What a stack file may name, handed in from above: topology imports neither the catalogue nor the addons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel


@dataclass(frozen=True)
class AddonFacts:
    """One addon: the model of its settings and what it gives a lab, e.g. {"cni"} or {"loadbalancer"}."""

    settings: type[BaseModel]
    provides: frozenset[str]


@dataclass(frozen=True)
class Known:
    """Kubernetes versions (newest first) and addons by name."""

    kubernetes: tuple[str, ...]
    addons: Mapping[str, AddonFacts]

    def providers(self, ability: str) -> tuple[str, ...]:
        """The names of the addons that provide `ability`."""
        return tuple(name for name, facts in self.addons.items() if ability in facts.provides)
