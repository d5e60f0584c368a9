"""The one table of what a lab is made of: every component with its version and its ways to come here.

types      what the table is written in           binaries, files, image_table   its lines
releases   every version, bumped there only       wrappers                       how Go compiles
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from modules.artifacts import binaries, files, image_table
from modules.artifacts.releases import KUBERNETES, NEWEST
from modules.artifacts.types import (
    Artifact,
    Component,
    GoProgram,
    Image,
    Kind,
    ModuleFiles,
    Release,
    Upstream,
)
from modules.base.errors import ArtifactError

__all__ = [
    "COMPONENTS", "IMAGES", "KUBERNETES", "NEWEST", "Artifact", "Component", "GoProgram", "Image", "Kind",
    "ModuleFiles", "Release", "Upstream", "component", "extras", "find", "images", "release", "rootfs",
]  # fmt: skip


def release(kubernetes: str) -> Release:
    """The row of a Kubernetes version; raises ArtifactError for one that is not in the table."""
    found = KUBERNETES.get(kubernetes.removeprefix("v"))
    if found is None:
        known = ", ".join(KUBERNETES)
        raise ArtifactError(
            f"Kubernetes {kubernetes} is not in the catalogue", hint=f"set kubernetes: to one of {known}"
        )
    return found


def images(kubernetes: str, addons: Iterable[str] = ()) -> tuple[Image, ...]:
    """What a lab of that version runs, without the load balancer in front of several masters.

    addons: the lab's; images that few labs run are among them only for a lab that has their addon.
    """
    row = release(kubernetes)
    extra = (image for addon in extras(addons) for image in image_table.of_optional(addon))
    return (*image_table.of_release(row), *image_table.of_addons(row), *extra)


def extras(addons: Iterable[str]) -> tuple[str, ...]:
    """Those of the addons that bring images which are left out otherwise."""
    return tuple(sorted(set(addons) & set(image_table.OPTIONAL)))


def rootfs(name: str) -> Artifact:
    """A root file system by name: `base` below images, `node` below the kind node image."""
    return files.rootfs(name).artifact


def _lines() -> Iterator[Component]:
    for row in KUBERNETES.values():
        yield from binaries.of_release(row)
        yield from files.trees(row)
        for image in images(row.version, image_table.OPTIONAL):
            yield _of_image(image)
    yield from binaries.of_minikube()
    yield from files.of_minikube()
    yield from binaries.of_pulumi()
    yield from binaries.of_addons()
    yield from files.manifests()
    for name in files.ROOTFS:
        yield files.rootfs(name)
    yield _of_image(image_table.load_balancer())


def _of_image(image: Image) -> Component:
    return Component(image.artifact, image, seconds=2)


# Two releases that share a component give the same line twice.
COMPONENTS: Mapping[Artifact, Component] = {line.artifact: line for line in _lines()}
IMAGES: Mapping[str, Image] = {
    line.recipe.reference: line.recipe for line in COMPONENTS.values() if isinstance(line.recipe, Image)
}


def find(artifact: Artifact) -> Component | None:
    return COMPONENTS.get(artifact)


def component(name: str, kind: Kind, version: str | None = None) -> Component:
    """A component by name; of several versions the newest release's, which comes first."""
    for line in COMPONENTS.values():
        known = line.artifact
        if known.name == name and known.kind is kind and version in (None, known.version):
            return line
    what = f"{kind} {name}" + (f" {version}" if version else "")
    raise ArtifactError(f"the catalogue has no {what}")
