"""Where everything a lab is made of comes from: catalogue -> sources -> store -> images. This page is the facade.

catalogue   every component, version and source in one table
sources     cache, bundle, mirror, upstream; packages: Go modules, wheels, Debian packages
store       the content-addressed cache they all fill
images      container images and the kind node image, put together from what is in the store
"""

from __future__ import annotations

from pathlib import Path

from modules.artifacts import catalogue, image_table
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact, DebianRootfs, Image, Kind, Release
from modules.base import paths

TOOLS = (
    "kind",
    "kubectl",
    "pulumi",
    "pulumi-language-python",
    "pulumi-language-python-exec",
    "pulumi-resource-pulumi-python",
    "pulumi-resource-kubernetes",
)
NODE_PROGRAMS = ("kubeadm", "kubelet", "kubectl", "containerd", "ctr", "containerd-shim-runc-v2", "crictl")
MANIFESTS = ("calico", "metrics-server", "metallb", "local-path")


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
    return catalogue.release(kubernetes)


def needed(kubernetes: str) -> tuple[Artifact, ...]:
    """What a kind lab of that version needs: tools, the node's programs, manifests, root file systems, image parts."""
    row = catalogue.release(kubernetes)
    wanted = [catalogue.component(name, Kind.BINARY).artifact for name in TOOLS if name != "kubectl"]
    wanted += [_program(name, row) for name in NODE_PROGRAMS]
    wanted += [Artifact("cni-plugins", row.cni, Kind.TREE), Artifact("kind-node-files", row.kind, Kind.TREE)]
    wanted += [catalogue.component(name, Kind.MANIFEST).artifact for name in MANIFESTS]
    wanted += [line.artifact for line in catalogue.COMPONENTS.values() if isinstance(line.recipe, DebianRootfs)]
    for image in (*catalogue.images(row.version), image_table.load_balancer()):
        wanted += [part.artifact for part in image.files.values()]
    return tuple(dict.fromkeys(wanted))


def missing(kubernetes: str) -> tuple[Artifact, ...]:
    """What of it is not in the cache."""
    here = store()
    return tuple(artifact for artifact in needed(kubernetes) if not here.has(artifact))


def parts(image: Image) -> tuple[Artifact, ...]:
    """What an image is put together from: its base and its files."""
    base = () if image.base == "scratch" else (catalogue.rootfs(image.base),)
    return (*base, *dict.fromkeys(part.artifact for part in image.files.values()))


def _program(name: str, row: Release) -> Artifact:
    versions = {"containerd": row.containerd, "ctr": row.containerd, "containerd-shim-runc-v2": row.containerd}
    versions["crictl"] = row.crictl
    return Artifact(name, versions.get(name, row.version), Kind.BINARY)
