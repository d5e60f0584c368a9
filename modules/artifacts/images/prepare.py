"""What others call: the name of a machine's image, kind's or minikube's, and seeing to it that the engine has it.

The name is worked out from the digests in the store alone; building happens once per name, one at a time on this
machine, and what a killed build left is cleared away by the next.
"""

from __future__ import annotations

import fcntl
import logging
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from modules.artifacts import catalogue, image_table, releases, types
from modules.artifacts.binaries import binary
from modules.artifacts.images import bake, compose, engine, minikube, node, oci
from modules.artifacts.images.compose import PathOf
from modules.artifacts.images.engine import ContainerEngine
from modules.artifacts.images.layer import Layer
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact, Kind, Release
from modules.base import paths

log = logging.getLogger("stacklab.images")

PULL_TIMEOUT = 1800
CALICO_LINKS = {"/opt/cni/bin/calico-ipam": "/opt/cni/bin/calico"}
BASES = ("base",)


class Recipe(Protocol):
    """What goes into the image of a machine: node.NodeRecipe, minikube.BaseRecipe."""

    @property
    def own(self) -> tuple[Artifact, ...]: ...
    @property
    def images(self) -> tuple[types.Image, ...]: ...
    @property
    def on(self) -> str: ...
    def parts(self, image: types.Image) -> tuple[Artifact, ...]: ...


@dataclass(frozen=True)
class Form:
    """A recipe, and how its image is named, laid out and started."""

    recipe: Recipe
    repository: str
    reference: Callable[[Mapping[str, str]], str]
    layers: Callable[[PathOf], tuple[Layer, ...]]
    run: oci.Run


def recipe(kubernetes: str, on: str = "", addons: Iterable[str] = ()) -> node.NodeRecipe:
    """The node of a Kubernetes version from the catalogue; `on`: a ready node image that has the control plane.

    addons: the lab's; an image that few labs run is only in the node image of those.
    """
    row = catalogue.release(kubernetes)
    images = catalogue.images(row.version, addons)
    return node.NodeRecipe(
        kubernetes=row.version,
        pause=f"registry.k8s.io/pause:{row.pause}",
        rootfs=catalogue.rootfs("node"),
        kind_files=Artifact("kind-node-files", row.kind, Kind.TREE),
        cni=Artifact("cni-plugins", row.cni, Kind.TREE),
        binaries={f"/usr/bin/{program.name}": program for program in _of_kubernetes(row)} | _of_machine(row),
        links=CALICO_LINKS,
        images=tuple(image for image in images if not on or image not in set(image_table.of_release(row))),
        extras=catalogue.extras(addons),
        bases={name: catalogue.rootfs(name) for name in BASES},
        on=on,
    )


def base_recipe(kubernetes: str, addons: Iterable[str] = ()) -> minikube.BaseRecipe:
    """The machine of minikube for a Kubernetes version."""
    row = catalogue.release(kubernetes)
    return minikube.BaseRecipe(
        release=row,
        minikube=releases.MINIKUBE,
        rootfs=catalogue.rootfs("minikube"),
        kicbase_files=Artifact("kicbase-files", releases.MINIKUBE, Kind.TREE),
        cni=Artifact("cni-plugins", row.cni, Kind.TREE),
        binaries=_of_machine(row),
        kubernetes_programs=_of_kubernetes(row),
        links=CALICO_LINKS,
        images=catalogue.images(row.version, addons),
        extras=catalogue.extras(addons),
        bases={name: catalogue.rootfs(name) for name in BASES},
    )


def _of_kubernetes(row: Release) -> tuple[Artifact, ...]:
    return tuple(binary(name, row.version) for name in ("kubeadm", "kubelet", "kubectl"))


def _of_machine(row: Release) -> dict[str, Artifact]:
    """Place -> program. Calico's installer leaves alone what is there already: no machine copies 100 MB first."""
    programs = [binary(name, row.containerd) for name in ("containerd", "containerd-shim-runc-v2", "ctr")]
    programs.append(binary("crictl", row.crictl))
    found = {f"/usr/local/bin/{program.name}": program for program in programs}
    return found | {"/opt/cni/bin/calico": binary("calico-cni", releases.CALICO)}


def inputs(made_of: Recipe, store: Store) -> tuple[Artifact, ...]:
    """Everything that goes into it: an image's archive when the store has it, else what it is put together from."""
    found = dict.fromkeys(made_of.own)
    for image in made_of.images:
        found.update(dict.fromkeys([image.artifact] if store.has(image.artifact) else made_of.parts(image)))
    return tuple(found)


def node_image(kubernetes: str, on: str = "", store: Store | None = None, *, addons: Iterable[str] = ()) -> str:
    """The node image's name; ArtifactError names what is not in the artifact cache yet."""
    return _name(_node(kubernetes, on, addons), store or Store(paths.cache()))


def ensure_node_image(
    kubernetes: str, runs: ContainerEngine, on: str = "", store: Store | None = None, *, addons: Iterable[str] = ()
) -> str:
    """The same, and the engine has an image of that name when this returns."""
    return ensure(_node(kubernetes, on, addons), runs, store or Store(paths.cache()))


def base_image(kubernetes: str, store: Store | None = None, *, addons: Iterable[str] = ()) -> str:
    """The name of minikube's base image; ArtifactError names what is not in the artifact cache yet."""
    return _name(_base(kubernetes, addons), store or Store(paths.cache()))


def ensure_base_image(
    kubernetes: str, runs: ContainerEngine, store: Store | None = None, *, addons: Iterable[str] = ()
) -> str:
    """The same, and the engine has an image of that name when this returns."""
    return ensure(_base(kubernetes, addons), runs, store or Store(paths.cache()))


def _node(kubernetes: str, on: str, addons: Iterable[str]) -> Form:
    made_of = recipe(kubernetes, on, addons)
    name, layers = partial(node.reference, made_of), partial(node.layers, made_of)
    return Form(made_of, node.REPOSITORY, name, layers, node.run())


def _base(kubernetes: str, addons: Iterable[str]) -> Form:
    made_of = base_recipe(kubernetes, addons)
    name, layers = partial(minikube.reference, made_of), partial(minikube.layers, made_of)
    return Form(made_of, minikube.REPOSITORY, name, layers, minikube.run())


def _name(form: Form, store: Store) -> str:
    return form.reference({part.id: store.digest(part) for part in inputs(form.recipe, store)})


def ensure(form: Form, runs: ContainerEngine, store: Store) -> str:
    target = _name(form, store)
    if engine.has(runs, target):
        return target
    with alone() as folder:
        if not engine.has(runs, target):
            _build(form, target, runs, store, folder)
            _drop_older(form, target, runs)
    return target


def ensure_load_balancer_image(runs: ContainerEngine, store: Store | None = None) -> str:
    """The image that kind puts in front of several masters, under kind's own name for it."""
    store = store or Store(paths.cache())
    image = image_table.load_balancer()
    if engine.has(runs, image.reference):
        return image.reference
    with alone() as folder:
        if not engine.has(runs, image.reference):
            engine.load(runs, archives([image], store, folder).all[0])
    return image.reference


def _build(form: Form, target: str, runs: ContainerEngine, store: Store, folder: Path) -> None:
    log.info("making %s: about a minute, once", target)
    made_of = form.recipe
    if not made_of.images:
        _load(form, target, runs, store, folder)
        return
    base = made_of.on or target.replace(form.repository, f"{form.repository}-base", 1)
    # Hashing and writing let go of the interpreter's lock: the images are put together while the engine loads the base.
    with ThreadPoolExecutor(1) as beside:
        made = beside.submit(archives, made_of.images, store, folder)
        if made_of.on:
            _pull(base, runs)
        else:
            _load(form, base, runs, store, folder)
    try:
        entrypoint = _entrypoint(folder) if made_of.on else None
        bake.bake(runs, base, target, made.result(), entrypoint, form.run.entrypoint)
    finally:
        if not made_of.on:
            engine.forget(runs, base)


def _load(form: Form, name: str, runs: ContainerEngine, store: Store, folder: Path) -> None:
    """The machine without images, into the engine."""
    archive = folder / "node.tar"
    oci.write_archive([oci.Image(name, form.layers(store.path), form.run)], archive)
    engine.load(runs, archive)
    archive.unlink()


def _drop_older(form: Form, target: str, runs: ContainerEngine) -> None:
    """Remove what earlier builds of the same Kubernetes version made; an image that a container uses is kept."""
    same_version = re.compile(rf"{re.escape(target.rpartition('-')[0])}-[0-9a-f]{{12}}")
    seen = runs.run("images", "--format", "{{.Repository}}:{{.Tag}}", form.repository, timeout=60, check=False)
    for reference in seen.stdout.split():
        if reference != target and same_version.fullmatch(reference):
            runs.run("rmi", reference, timeout=120, check=False)


def _pull(base: str, runs: ContainerEngine) -> None:
    if not engine.has(runs, base):
        runs.run("pull", base, timeout=PULL_TIMEOUT, where=base)


def _entrypoint(folder: Path) -> Path:
    """A file of our own entrypoint, for a node image that lacks it."""
    file = folder / "entrypoint"
    file.write_text(node.script("entrypoint.sh"), encoding="utf-8")
    return file


def archives(images: Sequence[types.Image], store: Store, folder: Path) -> bake.Archives:
    """Archives of the store as they are; the images it has none of are put together into one of our own."""
    ready = [store.path(image.artifact) for image in images if store.has(image.artifact)]
    own = [archive for archive in ready if oci.is_plain(archive)]
    foreign = [archive for archive in ready if archive not in own]
    bases = {name: catalogue.rootfs(name) for name in BASES}
    made = [
        compose.image(image, bases.get(image.base), store.path) for image in images if not store.has(image.artifact)
    ]
    if made:
        own.append(folder / "images.tar")
        oci.write_archive(made, own[-1])
    return bake.Archives(tuple(own), tuple(foreign))


@contextmanager
def alone() -> Iterator[Path]:
    """An empty folder on the cache's disk, for one process at a time; gone afterwards."""
    root = paths.cache() / "images"
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = root / "work"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
