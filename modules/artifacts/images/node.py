"""The kind node image: what is in it and under which name, as a pure function of its inputs.

Debian's node root file system, kind's own files, the binaries of one Kubernetes version; `bake` then puts the lab's
container images into it. The name carries the hash of everything that goes in, so an image of that name is that image.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from modules.artifacts import types
from modules.artifacts.images import compose, oci
from modules.artifacts.images.compose import PathOf
from modules.artifacts.images.layer import Entry, File, Folder, HardLink, Layer, Symlink, from_entries, from_tar, tree
from modules.artifacts.types import Artifact
from modules.base.errors import ArtifactError

REPOSITORY = "localhost/stacklab/node"
ENTRYPOINT = "/usr/local/bin/stacklab-entrypoint"
COMMAND = (ENTRYPOINT, "/sbin/init")
ENABLED = ("containerd.service", "kubelet.service", "undo-mount-hacks.service")
CODE = ("bake.py", "compose.py", "layer.py", "node.py", "oci.py", "files/bake.sh", "files/entrypoint.sh")
SANDBOX_IMAGE = re.compile(r'(?m)^(\s*sandbox_image = )"[^"]*"')

# kind applies this file to every new cluster and falls back to a StorageClass that provisions nothing when it is not
# there. Storage is an addon of ours, so what it applies is a note.
STORAGE_NOTE = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: stacklab-node-image
  namespace: kube-system
data:
  kubernetes: {version}
"""


@dataclass(frozen=True)
class NodeRecipe:
    """binaries: path in the node -> artifact; links: second names of them; images: what is baked in; bases: ROOTFS
    artifacts by name; extras: addons whose images are baked in only for labs that have them; on: a ready node image to
    bake into (a reference by digest) instead of a node of our own.
    """

    kubernetes: str
    pause: str
    rootfs: Artifact
    kind_files: Artifact
    cni: Artifact
    binaries: Mapping[str, Artifact] = field(hash=False)
    links: Mapping[str, str] = field(default_factory=dict, hash=False)
    images: tuple[types.Image, ...] = ()
    on: str = ""
    bases: Mapping[str, Artifact] = field(default_factory=dict, hash=False)
    extras: tuple[str, ...] = ()

    @property
    def own(self) -> tuple[Artifact, ...]:
        """What the node itself consists of, without the images baked into it."""
        if self.on:
            return ()
        return (self.rootfs, self.kind_files, self.cni, *self.binaries.values())

    def parts(self, image: types.Image) -> tuple[Artifact, ...]:
        """What an image is put together from."""
        base = (self.bases[image.base],) if image.base in self.bases else ()
        return (*base, *(part.artifact for part in image.files.values()))


def script(name: str) -> str:
    """The text of one of our shell scripts."""
    return resources.files("modules.artifacts.images").joinpath("files", name).read_text(encoding="utf-8")


def reference(recipe: NodeRecipe, digests: Mapping[str, str]) -> str:
    """The image's name; digests: artifact id -> digest, of everything that goes into it and of nothing else."""
    inputs = {
        "artifacts": dict(digests),
        "images": [said(image) for image in recipe.images],
        "paths": {path: artifact.id for path, artifact in recipe.binaries.items()},
        "links": dict(recipe.links),
        "pause": recipe.pause,
        "on": recipe.on,
        "code": code(*CODE),
    }
    text = json.dumps(inputs, sort_keys=True)
    kind = "_".join((f"v{recipe.kubernetes}", *recipe.extras))
    return f"{REPOSITORY}:{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def extras_of(reference: str) -> tuple[str, ...]:
    """What `extras` of the recipe were, by the image's name."""
    return tuple(reference.rpartition(":")[2].rpartition("-")[0].split("_")[1:])


def layers(recipe: NodeRecipe, path_of: PathOf) -> tuple[Layer, ...]:
    """The node without images: the root file system and one layer of everything else."""
    return from_tar(path_of(recipe.rootfs)), from_entries(entries(recipe, path_of))


def entries(recipe: NodeRecipe, path_of: PathOf) -> list[Entry]:
    """All files of the second layer."""
    version = f"v{recipe.kubernetes}"
    found = [*_kind_files(path_of(recipe.kind_files), recipe.pause)]
    found += [File(path.strip("/"), path_of(artifact), 0o755) for path, artifact in recipe.binaries.items()]
    found += [HardLink(path.strip("/"), target) for path, target in recipe.links.items()]
    found += tree(path_of(recipe.cni), "opt/cni/bin", executable=lambda name: True)
    found += [
        File(ENTRYPOINT.strip("/"), script("entrypoint.sh").encode(), 0o755),
        File("kind/version", version.encode()),
        File("kind/manifests/default-storage.yaml", STORAGE_NOTE.format(version=version).encode()),
        File("etc/systemd/journald.conf.d/stacklab.conf", b"[Journal]\nReadKMsg=no\n"),
        Folder("etc/kubernetes/manifests"),
        Symlink("usr/sbin/init", "/usr/lib/systemd/systemd"),
        Symlink("etc/systemd/system/systemd-binfmt.service", "/dev/null"),
    ]
    wanted = "etc/systemd/system/multi-user.target.wants"
    found += [Symlink(f"{wanted}/{unit}", f"/etc/systemd/system/{unit}") for unit in ENABLED]
    return found


def run() -> oci.Run:
    """How kind runs a node: systemd learns from `container` that it is in one, and stops at its own signal."""
    return oci.Run(entrypoint=COMMAND, env=("container=docker", oci.PATH), stop_signal="SIGRTMIN+3")


def with_pause(containerd_config: str, pause: str) -> str:
    """kind's containerd configuration with our sandbox image, the one that is baked in."""
    text, count = SANDBOX_IMAGE.subn(rf'\g<1>"{pause}"', containerd_config)
    if count != 1:
        raise ArtifactError(
            "kind's containerd configuration names no sandbox image where it used to",
            hint="this version of kind is not one the catalogue was made for",
        )
    return text


def _kind_files(folder: Path, pause: str) -> list[Entry]:
    config = "etc/containerd/config.toml"
    found = tree(folder, executable=lambda name: name.startswith(("usr/local/bin/", "kind/bin/")))
    kept = [entry for entry in found if entry.path not in (config, "usr/local/bin/clean-install")]
    text = with_pause((folder / config).read_text(encoding="utf-8"), pause)
    return [*kept, File(config, text.encode())]


def said(image: types.Image) -> list[object]:
    """What the catalogue says about an image."""
    files = sorted([path, part.artifact.id, part.member] for path, part in image.files.items())
    settings = oci.config(oci.Image(image.reference, (), compose.run(image))).decode()
    return [image.reference, image.base, settings, files, sorted(image.links.items())]


def code(*names: str) -> str:
    """A hash of this package's own text: what it puts into an image besides the artifacts."""
    folder = resources.files("modules.artifacts.images")
    texts = [folder.joinpath(*name.split("/")).read_text(encoding="utf-8") for name in names]
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()
