"""Where everything a lab is made of comes from: catalogue -> sources -> store -> images. This page is the facade.

catalogue   every component, version and source in one table
sources     cache, bundle, mirror, upstream; packages: Go modules, wheels, Debian packages
store       the content-addressed cache they all fill
images      container images and the kind node image, put together from what is in the store
"""

from __future__ import annotations

from pathlib import Path

from modules.artifacts import catalogue, needs
from modules.artifacts.needs import Demand
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact, Kind, Release
from modules.base import paths


def store() -> Store:
    """This user's artifact cache."""
    return Store(paths.cache())


def binary(name: str, version: str | None = None) -> Path:
    """The executable in the cache; raises ArtifactError that names `stacklab fetch` when it is not there."""
    return store().path(catalogue.component(name, Kind.BINARY, version).artifact)


def manifest(name: str) -> str:
    """The text of a manifest as its publisher wrote it."""
    return store().path(catalogue.component(name, Kind.MANIFEST).artifact).read_text(encoding="utf-8")


def tree(name: str, version: str | None = None) -> Path:
    """A folder in the cache; not to be written to."""
    return store().path(catalogue.component(name, Kind.TREE, version).artifact)


def release(kubernetes: str) -> Release:
    """What goes with a Kubernetes version; raises ArtifactError for one that is not in the catalogue."""
    return catalogue.release(kubernetes)


def needed(demand: Demand, *, pulumi: bool = True) -> tuple[Artifact, ...]:
    """What a lab needs: tools, its machines' programs, manifests, root file systems, parts of images.

    pulumi=False leaves out Pulumi's command line and Python host: a fitting one is on PATH.
    """
    return needs.needed(demand, pulumi=pulumi)


def missing(demand: Demand, *, pulumi: bool = True) -> tuple[Artifact, ...]:
    """What of it is not in the cache; an image that is there whole needs no parts."""
    return needs.missing(demand, store(), pulumi=pulumi)
