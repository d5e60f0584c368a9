"""Where an upstream address is looked for: at the publisher's, or on the user's mirrors. Pure.

A mirror has the same paths under another base:
    binaries:   https://dl.k8s.io/release/v1.36.3/…  ->  <binaries>/dl.k8s.io/release/v1.36.3/…
    registries: docker.io/calico/node:v3.28.5        ->  <registries[docker.io]>/calico/node:v3.28.5
    images:     the same for registry.k8s.io alone, as kubeadm's imageRepository
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from modules.artifacts.sources.reference import Reference


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
    """`mirrors:` of the stack file, as far as downloads go. False when it names none."""

    binaries: str = ""
    images: str = ""
    registries: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.binaries or self.images or self.registries)

    def file(self, url: str) -> str | None:
        return f"{self.binaries.rstrip('/')}/{url.partition('://')[2]}" if self.binaries else None

    def repository(self, image: Reference) -> str | None:
        base = self.registries.get(image.registry, "")
        if not base and image.registry == "registry.k8s.io":
            base = self.images
        base = base.removeprefix("https://").removeprefix("http://").rstrip("/")
        return f"{base}/{image.repository}" if base else None
