"""What the catalogue is written in: an artifact, the ways to make or get it, an image, a release of Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What an artifact is on disk."""

    BINARY = "binary"  # one executable file
    MANIFEST = "manifest"  # one YAML text
    TREE = "tree"  # a folder
    ROOTFS = "rootfs"  # one tar of a root file system
    IMAGE = "image"  # one OCI archive (tar) of a container image


@dataclass(frozen=True)
class Artifact:
    """One thing a lab is made of. `id` is its name in the store, the lock file and a bundle."""

    name: str
    version: str
    kind: Kind

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.name}@{self.version}"

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True)
class Upstream:
    """Where the publisher offers it. In both addresses {version} and {arch} stand for themselves.

    checksum_url: the publisher's own checksum file, empty when there is none.
    member:       path inside the archive that `url` is; for a TREE a folder, "." the whole archive.
    arches:       the publisher's word for an architecture where it is not Go's ("amd64", "arm64").
    """

    url: str
    checksum_url: str
    member: str = ""
    arches: Mapping[str, str] = field(default_factory=dict, hash=False)

    def at(self, version: str, arch: str) -> Upstream:
        """The same with version and architecture filled in."""

        def fill(text: str) -> str:
            return text.replace("{version}", version).replace("{arch}", self.arches.get(arch, arch))

        return Upstream(fill(self.url), fill(self.checksum_url), fill(self.member))


@dataclass(frozen=True)
class GoProgram:
    """Compiled from a main package inside the wrapper module `go/<wrapper>`, whose go.sum is the proof.

    Programs of one wrapper are compiled by one command, so they share libraries, tags and linker flags (GoWrapper).
    """

    wrapper: str
    package: str


@dataclass(frozen=True)
class GoPrograms:
    """A folder of programs: a TREE of several main packages of one wrapper."""

    wrapper: str
    packages: tuple[str, ...]


@dataclass(frozen=True)
class GoWrapper:
    """How the programs of a wrapper module are compiled.

    cgo:    with a C compiler, linked statically all the same.
    source: a folder of the checkout in place of `go/<name>`: our own programs.
    lay:    files of a module laid beside the wrapper's own main first, for a main that embeds them;
            path -> (module, path in it). A JSON file gets the keys of `stamp`.
    """

    name: str
    tags: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = ()
    cgo: bool = False
    source: str = ""
    lay: Mapping[str, tuple[str, str]] = field(default_factory=dict, hash=False)
    stamp: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class ModuleFiles:
    """A file or folder out of the zip of a module that a wrapper pins.

    executable: which files get the executable bit, by glob; a module's zip carries none.
    base:       the folder is a kustomize base: its resources are put together into one YAML text,
                with images replaced by name.
    """

    wrapper: str
    module: str
    path: str
    executable: tuple[str, ...] = ()
    base: bool = False
    images: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Wheel:
    """A file of a wheel on PyPI, pinned with its digests in packages/wheels.lock."""

    distribution: str
    member: str


@dataclass(frozen=True)
class DebianRootfs:
    """A root file system of Debian packages, as modules.artifacts.images.rootfs makes it."""

    name: str


@dataclass(frozen=True)
class Part:
    """What goes to one path of an image: an artifact, or a file inside a TREE artifact."""

    artifact: Artifact
    member: str = ""


@dataclass(frozen=True)
class Image:
    """A container image under the name that upstream manifests use, and what the packages source makes it of.

    base:  "scratch", or the name of a ROOTFS artifact of the catalogue.
    files: path in the image -> what lies there; a TREE without member is laid over that folder.
    links: path in the image -> where the symbolic link points.
    """

    name: str
    tag: str
    files: Mapping[str, Part] = field(hash=False)
    entrypoint: tuple[str, ...]
    base: str = "scratch"
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, hash=False)
    user: str = ""
    workdir: str = ""
    links: Mapping[str, str] = field(default_factory=dict, hash=False)
    upstream: bool = True

    @property
    def reference(self) -> str:
        return f"{self.name}:{self.tag}"

    @property
    def artifact(self) -> Artifact:
        return Artifact(self.name, self.tag, Kind.IMAGE)


Recipe = GoProgram | GoPrograms | ModuleFiles | Wheel | DebianRootfs | Image


@dataclass(frozen=True)
class Component:
    """One line of the catalogue: what it is, how the packages source makes it, where its publisher offers it.

    seconds: what making it took on 2 cores, the weight of it in the time that is left.
    note:    what the packages source takes in place of the version named, when the two differ.
    """

    artifact: Artifact
    recipe: Recipe
    upstream: Upstream | None = None
    seconds: float = 1
    note: str = ""


@dataclass(frozen=True)
class Release:
    """A Kubernetes version and what goes with it. Tags of images are as kubeadm and upstream write them."""

    version: str
    etcd: str
    coredns: str
    pause: str
    containerd: str
    cni: str
    crictl: str
    kind: str
    wrapper: str

    @property
    def etcd_tag(self) -> str:
        return f"{self.etcd}-0"

    @property
    def coredns_tag(self) -> str:
        return f"v{self.coredns}"
