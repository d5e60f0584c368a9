"""The full reference of an image that is baked into every machine."""

from __future__ import annotations

from modules.artifacts import catalogue
from modules.base.errors import ArtifactError


def baked(repository: str) -> str:
    """docker.io/library/traefik -> docker.io/library/traefik:v3.6.12, by the catalogue."""
    for reference in catalogue.IMAGES:
        if reference.rpartition(":")[0] == repository:
            return reference
    raise ArtifactError(f"the catalogue has no image {repository}")
