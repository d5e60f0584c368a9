"""Where an upstream address is looked for: at the publisher's, or on the lab's mirrors. Pure.

A mirror has the same paths under another base, but for `images`, which is kubeadm's imageRepository:
    binaries:   https://dl.k8s.io/release/v1.36.3/…   ->  <binaries>/dl.k8s.io/release/v1.36.3/…
    registries: docker.io/calico/node:v3.28.5         ->  <registries[docker.io]>/calico/node:v3.28.5
    images:     registry.k8s.io/coredns/coredns:v1.14 ->  <images>/coredns:v1.14, where there is no registry for it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from modules.artifacts.machine import registries
from modules.artifacts.sources.reference import Reference
from modules.topology.mirrors import KUBERNETES


class Addresses(Protocol):
    """Both answers are None when it is not to be had there."""

    def file(self, url: str) -> str | None: ...

    def repository(self, image: Reference) -> str | None: ...


class Publishers:
    """Everything where its publisher has it."""

    def file(self, url: str) -> str | None:
        return url

    def repository(self, image: Reference) -> str | None:
        return f"{image.registry}/{image.repository}"


@dataclass(frozen=True)
class Mirrors:
    """A lab's mirrors (topology.mirrors), as far as downloads go. False when there are none.

    A registry comes before `images`: it hands on what the publisher has, whose digests are in the lock file.
    """

    binaries: str = ""
    images: str = ""
    registries: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.binaries or self.images or self.registries)

    def file(self, url: str) -> str | None:
        return f"{self.binaries.rstrip('/')}/{url.partition('://')[2]}" if self.binaries else None

    def repository(self, image: Reference) -> str | None:
        base = self.registries.get(image.registry, "")
        if base:
            return f"{registries.bare(base)}/{image.repository}"
        if self.images and image.registry == KUBERNETES:
            return registries.second_name(f"{image.registry}/{image.repository}", self.images)
        return None
