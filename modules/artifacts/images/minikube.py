"""minikube's base image: what is in it and under which name, as a pure function of its inputs.

Like the kind node image (node, bake): Debian packages, minikube's own files for its base image, the binaries of one
Kubernetes version where minikube looks for them, the lab's container images baked in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from modules.artifacts import types
from modules.artifacts.images import node, oci
from modules.artifacts.images.compose import PathOf
from modules.artifacts.images.layer import Entry, File, Folder, HardLink, Layer, Symlink, from_entries, from_tar, tree
from modules.artifacts.machine import texts
from modules.artifacts.types import Artifact, Release

REPOSITORY = "localhost/stacklab/minikube"
ENTRYPOINT = "/usr/local/bin/stacklab-minikube-entrypoint"
COMMAND = (ENTRYPOINT, "/sbin/init")
KUBERNETES = "/opt/stacklab/kubernetes"
KUBELET_SETTINGS = "/etc/stacklab/kubelet.d"
CODE = (
    *("bake.py", "compose.py", "layer.py", "minikube.py", "oci.py", "files/bake.sh", "files/entrypoint.sh"),
    *("files/minikube-entrypoint.sh", "files/minikube-kubeadm.sh"),
)

# The kubelet's unit is written by minikube; linked, it starts with the machine once it is there.
ENABLED = {
    "containerd.service": texts.CONTAINERD_UNIT,
    "kubelet.service": "/lib/systemd/system/kubelet.service",
    "minikube-automount.service": "/usr/lib/systemd/system/minikube-automount.service",
    "ssh.service": "/lib/systemd/system/ssh.service",
}
# File of minikube's deploy/kicbase -> its place.
PLACES = {
    "entrypoint": "usr/local/bin/entrypoint",
    "10-network-security.conf": "etc/sysctl.d/10-network-security.conf",
    "11-tcp-mtu-probing.conf": "etc/sysctl.d/11-tcp-mtu-probing.conf",
    "automount/minikube-automount": "usr/sbin/minikube-automount",
    "automount/minikube-automount.service": "usr/lib/systemd/system/minikube-automount.service",
    "scheduled-stop/minikube-scheduled-stop": "var/lib/minikube/scheduled-stop/minikube-scheduled-stop",
    "scheduled-stop/minikube-scheduled-stop.service": "usr/lib/systemd/system/minikube-scheduled-stop.service",
}


@dataclass(frozen=True)
class BaseRecipe:
    """As node.NodeRecipe. kubernetes_programs: kubeadm, kubelet, kubectl; minikube: the version that it is for."""

    release: Release
    minikube: str
    rootfs: Artifact
    kicbase_files: Artifact
    cni: Artifact
    binaries: Mapping[str, Artifact] = field(hash=False)
    kubernetes_programs: tuple[Artifact, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict, hash=False)
    images: tuple[types.Image, ...] = ()
    bases: Mapping[str, Artifact] = field(default_factory=dict, hash=False)
    extras: tuple[str, ...] = ()
    on: str = ""

    @property
    def own(self) -> tuple[Artifact, ...]:
        """What the machine itself consists of, without the images baked into it."""
        return (self.rootfs, self.kicbase_files, self.cni, *self.kubernetes_programs, *self.binaries.values())

    def parts(self, image: types.Image) -> tuple[Artifact, ...]:
        """What an image is put together from."""
        base = (self.bases[image.base],) if image.base in self.bases else ()
        return (*base, *(part.artifact for part in image.files.values()))


def reference(recipe: BaseRecipe, digests: Mapping[str, str]) -> str:
    """The image's name; digests: artifact id -> digest, of everything that goes into it and of nothing else."""
    inputs = {
        "artifacts": dict(digests),
        "images": [node.said(image) for image in recipe.images],
        "paths": {path: artifact.id for path, artifact in recipe.binaries.items()},
        "links": dict(recipe.links),
        "release": repr(recipe.release),
        "minikube": recipe.minikube,
        "texts": [_containerd(recipe.release), texts.units()[texts.CONTAINERD_UNIT]],
        "code": node.code(*CODE),
    }
    text = json.dumps(inputs, sort_keys=True)
    kind = "_".join((f"v{recipe.release.version}", *recipe.extras))
    return f"{REPOSITORY}:{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def layers(recipe: BaseRecipe, path_of: PathOf) -> tuple[Layer, ...]:
    """The machine without images: the root file system and one layer of everything else."""
    return from_tar(path_of(recipe.rootfs)), from_entries(entries(recipe, path_of))


def entries(recipe: BaseRecipe, path_of: PathOf) -> list[Entry]:
    """All files of the second layer."""
    files = path_of(recipe.kicbase_files)
    found: list[Entry] = [
        File(place, files / name, 0o755 if "bin/" in place or "scheduled-stop/" in place else 0o644)
        for name, place in PLACES.items()
    ]
    found += [File(path.strip("/"), path_of(artifact), 0o755) for path, artifact in recipe.binaries.items()]
    found += [HardLink(path.strip("/"), target) for path, target in recipe.links.items()]
    found += tree(path_of(recipe.cni), "opt/cni/bin", executable=lambda name: True)
    found += kubernetes(recipe, path_of)
    version = dict.fromkeys(("iso_version", "kicbase_version", "minikube_version"), f"v{recipe.minikube}")
    found += [
        File(ENTRYPOINT.strip("/"), node.script("minikube-entrypoint.sh").encode(), 0o755),
        File(node.ENTRYPOINT.strip("/"), node.script("entrypoint.sh").encode(), 0o755),
        File(texts.CONTAINERD_CONFIG.strip("/"), _containerd(recipe.release).encode()),
        File(texts.CONTAINERD_UNIT.strip("/"), texts.units()[texts.CONTAINERD_UNIT].encode()),
        File("etc/sudoers.d/20-passwordless-sudo", b"%sudo ALL=(ALL) NOPASSWD:ALL\n", 0o440),
        File("etc/systemd/journald.conf.d/stacklab.conf", b"[Journal]\nReadKMsg=no\n"),
        File("version.json", (json.dumps(version) + "\n").encode()),
        Folder("etc/kubernetes/manifests"),
        Folder("kind"),
        Symlink("usr/sbin/init", "/usr/lib/systemd/systemd"),
        Symlink("etc/systemd/system/systemd-binfmt.service", "/dev/null"),
    ]
    wanted = "etc/systemd/system/multi-user.target.wants"
    return [*found, *(Symlink(f"{wanted}/{unit}", target) for unit, target in ENABLED.items())]


def kubernetes(recipe: BaseRecipe, path_of: PathOf) -> list[Entry]:
    """The programs of the version, and their names below /var, which every machine copies into a volume of its own."""
    place = f"{KUBERNETES}/{recipe.release.version}"
    found: list[Entry] = []
    for artifact in recipe.kubernetes_programs:
        name = artifact.name
        looked_for = f"{binaries(recipe.release.version)}/{name}".strip("/")
        found.append(File(f"{place}/{name}".strip("/"), path_of(artifact), 0o755))
        if name == "kubeadm":
            found.append(File(looked_for, kubeadm(recipe.release).encode(), 0o755))
        else:
            found.append(Symlink(looked_for, f"{place}/{name}"))
    return found


def binaries(version: str) -> str:
    """Where minikube looks for the programs of a Kubernetes version on a machine."""
    return f"/var/lib/minikube/binaries/v{version}"


def kubeadm(release: Release) -> str:
    """The script that stands in for kubeadm of a release on a machine of minikube."""
    text = node.script("minikube-kubeadm.sh")
    for word, value in (("VERSION", release.version), ("ETCD", release.etcd_tag), ("COREDNS", release.coredns_tag)):
        text = text.replace(f"@{word}@", value)
    return text


def run() -> oci.Run:
    """How a machine is run: systemd learns from `container` that it is in one, and stops at its own signal."""
    return oci.Run(entrypoint=COMMAND, env=("container=docker", oci.PATH), stop_signal="SIGRTMIN+3")


def _containerd(release: Release) -> str:
    return texts.containerd_config(f"registry.k8s.io/pause:{release.pause}")
