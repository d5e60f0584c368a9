"""Bringing a machine what its base image does not have: the programs and images of another version.

A machine lives on in the image that it was made from; an edited version brings the new ones beside the old.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from modules.host.engine import Engine

TIMEOUT = 120.0
IMPORT = 600.0
DROP = "/var/tmp/stacklab-image.tar"  # noqa: S108  on the machine, a volume of its own


@dataclass(frozen=True)
class ImageStore:
    """How a container runtime is asked for its images and given one: words before the archive's path."""

    listed: tuple[str, ...]
    loaded: tuple[str, ...]


CTR = ("ctr", "--namespace", "k8s.io", "images")
NAMES = ("images", "--format", "{{.Repository}}:{{.Tag}}")
# cri-o has the images that podman has beside it on minikube's official image.
STORES: Mapping[str, ImageStore] = {
    "containerd": ImageStore(
        (*CTR, "ls", "--quiet"), (*CTR, "import", "--local", "--label", "io.cri-containerd.pinned=pinned")
    ),
    "docker": ImageStore(("docker", *NAMES), ("docker", "load", "--quiet", "--input")),
    "cri-o": ImageStore(("podman", *NAMES), ("podman", "load", "--quiet", "--input")),
}


@dataclass(frozen=True)
class Parcel:
    """programs and texts: path on the machine -> file or text, executable; links: path -> where it points.

    images: reference -> archive.
    """

    programs: Mapping[str, Path] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, Path] = field(default_factory=dict)


def bring(engine: Engine, machines: Sequence[str], parcel: Parcel) -> None:
    """Every machine has everything in the parcel when this returns; what is there already is not brought again."""
    for machine in machines:
        _programs(engine, machine, parcel)
        images(engine, machine, parcel.images)


def _programs(engine: Engine, machine: str, parcel: Parcel) -> None:
    wanted = [*parcel.programs, *parcel.texts, *parcel.links]
    if not wanted:
        return
    # `ls` complains about those that are not there, and prints the others.
    seen = engine.run("exec", machine, "ls", "-d", *wanted, timeout=TIMEOUT, check=False).stdout.split()
    missing = [path for path in wanted if path not in seen]
    if not missing:
        return
    folders = sorted({str(Path(path).parent) for path in missing})
    engine.run("exec", machine, "mkdir", "-p", *folders, timeout=TIMEOUT, where=machine)
    for path, source in parcel.programs.items():
        if path in missing:
            # Whole or not at all: the name appears when the file is complete.
            engine.run("cp", str(source), f"{machine}:{path}.new", timeout=TIMEOUT, where=machine)
            engine.run("exec", machine, "chmod", "0755", f"{path}.new", timeout=TIMEOUT, where=machine)
            engine.run("exec", machine, "mv", f"{path}.new", path, timeout=TIMEOUT, where=machine)
    for path, text in parcel.texts.items():
        if path in missing:
            script = f"cat >{path}.new && chmod 0755 {path}.new && mv {path}.new {path}"
            engine.run("exec", "-i", machine, "sh", "-c", script, stdin=text, timeout=TIMEOUT, where=machine)
    for path, target in parcel.links.items():
        if path in missing:
            engine.run("exec", machine, "ln", "-sfn", target, path, timeout=TIMEOUT, where=machine)


def images(engine: Engine, machine: str, wanted: Mapping[str, Path], runtime: str = "containerd") -> None:
    """The runtime there has each of these images when this returns."""
    if not wanted:
        return
    store = STORES[runtime]
    there = engine.run("exec", machine, *store.listed, timeout=TIMEOUT, where=machine).stdout.split()
    for reference, archive in wanted.items():
        if not {reference, familiar(reference)} & set(there):
            engine.run("cp", str(archive), f"{machine}:{DROP}", timeout=IMPORT, where=machine)
            engine.run("exec", machine, *store.loaded, DROP, timeout=IMPORT, where=f"{machine}: {reference}")
            engine.run("exec", machine, "rm", "-f", DROP, timeout=TIMEOUT, where=machine)


def familiar(reference: str) -> str:
    """An image's name as docker shows it. Pure."""
    return reference.removeprefix("docker.io/").removeprefix("library/")
