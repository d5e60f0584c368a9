"""What is brought to a machine besides texts: programs, CNI plugins, image archives, each with its place there.

`payload` only names things; `ensure_payload` also puts together the archives of images that the store has as parts,
once, below the cache. The machine image has all of it; steps over SSH bring what a machine lacks.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modules.artifacts import catalogue, image_table, releases, types
from modules.artifacts.binaries import binary
from modules.artifacts.images import compose, node, oci
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact, Kind
from modules.base import paths

KUBERNETES = "/opt/stacklab/kubernetes"
PROGRAMS = "/usr/local/bin"
CNI = "/opt/cni/bin"
IMAGES_LIST = "/opt/stacklab/images.list"
OF_KUBERNETES = ("kubeadm", "kubelet", "kubectl")
OF_CONTAINERD = ("containerd", "containerd-shim-runc-v2", "ctr")
ON_MASTERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")


@dataclass(frozen=True)
class ImageRef:
    """An image and the archive that `ctr images import` reads; masters: only the control plane runs it."""

    reference: str
    archive: Path
    masters: bool = False


@dataclass(frozen=True)
class Payload:
    """binaries: path on the machine -> file here, executable; links: path on the machine -> where it points.

    cni:    a folder whose files all go to CNI (/opt/cni/bin), executable; extra_cni: more of them by path.
    etcd:   path on the machine -> file here, for members of an etcd of its own (etcdctl is good on any master).
    images: what the lab runs.
    """

    kubernetes: str
    pause: str
    binaries: Mapping[str, Path]
    links: Mapping[str, str]
    cni: Path
    extra_cni: Mapping[str, Path]
    etcd: Mapping[str, Path]
    images: tuple[ImageRef, ...]


def pause(kubernetes: str) -> str:
    """The sandbox image of a release."""
    return f"registry.k8s.io/pause:{catalogue.release(kubernetes).pause}"


def folder(kubernetes: str) -> str:
    """Where the programs of a Kubernetes version lie on a machine, beside those of other versions."""
    return f"{KUBERNETES}/{kubernetes.removeprefix('v')}"


def active(kubernetes: str) -> Mapping[str, str]:
    """The links that make a version the active one: path on the machine -> where it points."""
    return {f"{PROGRAMS}/{name}": f"{folder(kubernetes)}/{name}" for name in OF_KUBERNETES}


def payload(kubernetes: str, store: Store | None = None, *, addons: Iterable[str] = ()) -> Payload:
    """Everything by name; an archive that is put together may not be there yet. ArtifactError: not in the cache.

    addons: the lab's; images that few labs run are among the images only for those that do.
    """
    store = store or Store(paths.cache())
    row = catalogue.release(kubernetes)
    programs = {f"{folder(row.version)}/{name}": binary(name, row.version) for name in OF_KUBERNETES}
    programs |= {f"{PROGRAMS}/{name}": binary(name, row.containerd) for name in OF_CONTAINERD}
    programs[f"{PROGRAMS}/crictl"] = binary("crictl", row.crictl)
    etcd = {f"{PROGRAMS}/{name}": binary(name, row.etcd) for name in ("etcd", "etcdctl", "etcdutl")}
    # Calico's installer leaves alone what is there already: no machine copies 100 MB when it starts.
    calico = binary("calico-cni", releases.CALICO)
    return Payload(
        kubernetes=row.version,
        pause=pause(row.version),
        binaries={path: store.path(artifact) for path, artifact in programs.items()},
        links=active(row.version),
        cni=store.path(Artifact("cni-plugins", row.cni, Kind.TREE)),
        extra_cni={f"{CNI}/{name}": store.path(calico) for name in ("calico", "calico-ipam")},
        etcd={path: store.path(artifact) for path, artifact in etcd.items()},
        images=tuple(_reference(image, store) for image in catalogue.images(row.version, addons)),
    )


def ensure_payload(kubernetes: str, store: Store | None = None, *, addons: Iterable[str] = ()) -> Payload:
    """The same, and every archive is there when this returns: half a minute once, then nothing."""
    store = store or Store(paths.cache())
    addons = tuple(addons)
    made = payload(kubernetes, store, addons=addons)
    archives = {image.reference: image.archive for image in made.images}
    lacking = [image for image in catalogue.images(kubernetes, addons) if not archives[image.reference].exists()]
    if lacking:
        with _alone(store):
            for image in lacking:
                _compose(image, store, archives[image.reference])
            _drop_others(store)
    return made


def _reference(image: types.Image, store: Store) -> ImageRef:
    masters = image.name.removeprefix("registry.k8s.io/") in ON_MASTERS
    if store.has(image.artifact):
        return ImageRef(image.reference, store.path(image.artifact), masters)
    return ImageRef(image.reference, _archive(image, store), masters)


def _archive(image: types.Image, store: Store) -> Path:
    """Where the archive of an image made of parts lies; the name changes with everything that changes the image."""
    digests = [[part.id, store.digest(part)] for part in _parts(image)]
    text = json.dumps([digests, node.said(image), node.code("compose.py", "layer.py", "oci.py")])
    name = image.reference.replace("/", "_").replace(":", "_")
    return _folder(store) / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.tar"


def _parts(image: types.Image) -> tuple[Artifact, ...]:
    base = () if image.base == image_table.SCRATCH else (catalogue.rootfs(image.base),)
    return (*base, *(part.artifact for part in image.files.values()))


def _compose(image: types.Image, store: Store, archive: Path) -> None:
    if archive.exists():  # another process made it while this one waited
        return
    base = None if image.base == image_table.SCRATCH else catalogue.rootfs(image.base)
    beside = archive.with_suffix(".new")
    oci.write_archive([compose.image(image, base, store.path)], beside)
    beside.replace(archive)


def _drop_others(store: Store) -> None:
    """Archives that no release in the catalogue would use any more."""
    known = {_archive(image, store).name for image in catalogue.IMAGES.values() if all(map(store.has, _parts(image)))}
    for archive in _folder(store).glob("*.tar"):
        if archive.name not in known:
            archive.unlink()


def _folder(store: Store) -> Path:
    return store.root / "images" / "archives"


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    folder = _folder(store)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
