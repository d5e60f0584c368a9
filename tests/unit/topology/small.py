"""A small Known for fast tests: nothing of the addons or the catalogue is imported."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from modules.topology.known import AddonFacts, Known


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Calico(_Settings):
    encapsulation: Literal["vxlan", "ipip", "none"] = "vxlan"
    mtu: Literal["auto"] | Annotated[int, Field(ge=576, le=9000)] = "auto"


class Traefik(_Settings):
    replicas: int = Field(1, ge=1, le=9)


class Empty(_Settings):
    pass


KNOWN = Known(
    kubernetes=("1.36.3", "1.36.1", "1.35.4"),
    addons={
        "calico": AddonFacts(Calico, frozenset({"cni"})),
        "flannel": AddonFacts(Empty, frozenset({"cni"})),
        "local-path": AddonFacts(Empty, frozenset({"storage"})),
        "metallb": AddonFacts(Empty, frozenset({"loadbalancer"})),
        "metrics-server": AddonFacts(Empty, frozenset({"metrics"})),
        "traefik": AddonFacts(Traefik, frozenset({"ingress"})),
    },
)
