"""What a lab of a Kubernetes version needs, as artifacts. An image counts whole or as the parts it is made of."""

from __future__ import annotations

from collections.abc import Iterable

from modules.artifacts import catalogue, image_table
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact, Image, Kind, Release

PULUMI = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")
PROVIDER = "pulumi-resource-kubernetes"
NODE_PROGRAMS = ("kubeadm", "kubelet", "kubectl", "containerd", "ctr", "containerd-shim-runc-v2", "crictl")
MANIFESTS = ("calico", "metrics-server", "metallb", "local-path")
ROOTFS = ("base", "node")


def fixed(kubernetes: str, *, pulumi: bool = True) -> tuple[Artifact, ...]:
    """All but the images: tools, the node's programs, manifests, trees, root file systems.

    pulumi: with Pulumi's command line and Python host; not needed where a fitting one is on PATH.
    """
    row = catalogue.release(kubernetes)
    found = [catalogue.component(name, Kind.BINARY).artifact for name in (*(PULUMI if pulumi else ()), PROVIDER)]
    found += [Artifact("kind", row.kind, Kind.BINARY)]
    found += [_program(name, row) for name in NODE_PROGRAMS]
    found += [Artifact("cni-plugins", row.cni, Kind.TREE), Artifact("kind-node-files", row.kind, Kind.TREE)]
    found += [catalogue.component(name, Kind.MANIFEST).artifact for name in MANIFESTS]
    found += [catalogue.rootfs(name) for name in ROOTFS]
    return tuple(found)


def images(kubernetes: str) -> tuple[Image, ...]:
    return (*catalogue.images(kubernetes), image_table.load_balancer())


def parts(image: Image) -> tuple[Artifact, ...]:
    """What an image is put together from: its base and its files."""
    base = () if image.base == image_table.SCRATCH else (catalogue.rootfs(image.base),)
    return (*base, *dict.fromkeys(part.artifact for part in image.files.values()))


def instead(artifact: Artifact) -> tuple[Artifact, ...]:
    """The parts of an image that is not to be had whole."""
    image = catalogue.IMAGES.get(f"{artifact.name}:{artifact.version}")
    return parts(image) if image and artifact.kind is Kind.IMAGE else ()


def needed(kubernetes: str, *, pulumi: bool = True) -> tuple[Artifact, ...]:
    """Everything, images as parts."""
    return _unique(
        [*fixed(kubernetes, pulumi=pulumi), *(part for image in images(kubernetes) for part in parts(image))]
    )


def missing(kubernetes: str, store: Store, *, pulumi: bool = True) -> tuple[Artifact, ...]:
    """What of it is not in the store; an image that is there whole needs no parts."""
    lacking = [part for image in images(kubernetes) if not store.has(image.artifact) for part in parts(image)]
    return tuple(
        artifact for artifact in _unique([*fixed(kubernetes, pulumi=pulumi), *lacking]) if not store.has(artifact)
    )


def wanted(kubernetes: str, store: Store, *, pulumi: bool = True) -> tuple[Artifact, ...]:
    """What to fetch: images whole, unless all their parts are there."""
    whole = [image.artifact for image in images(kubernetes) if not all(store.has(part) for part in parts(image))]
    return tuple(artifact for artifact in (*fixed(kubernetes, pulumi=pulumi), *whole) if not store.has(artifact))


def _program(name: str, row: Release) -> Artifact:
    versions = {"containerd": row.containerd, "ctr": row.containerd, "containerd-shim-runc-v2": row.containerd}
    return Artifact(name, {**versions, "crictl": row.crictl}.get(name, row.version), Kind.BINARY)


def _unique(artifacts: Iterable[Artifact]) -> tuple[Artifact, ...]:
    return tuple(dict.fromkeys(artifacts))
