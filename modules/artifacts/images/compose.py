"""From an image's recipe in the catalogue and the artifacts on disk to an image: its base, one layer of its own files.

An image on a base keeps the base as a layer of its own, so images that share it are stored and unpacked once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from modules.artifacts import types
from modules.artifacts.images import oci
from modules.artifacts.images.layer import Entry, File, Folder, Layer, Symlink, from_entries, from_tar, tree
from modules.artifacts.types import Artifact, Kind
from modules.base.errors import ArtifactError

SCRATCH = "scratch"

PathOf = Callable[[Artifact], Path]

# What programs expect of any machine and a scratch image lacks: a place for temporary files, names for two users.
SCRATCH_FILES: tuple[Entry, ...] = (
    Folder("tmp", 0o1777),
    File("etc/passwd", b"root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n"),
    File("etc/group", b"root:x:0:\nnobody:x:65534:\n"),
    File("etc/nsswitch.conf", b"hosts: files dns\n"),
)


def image(recipe: types.Image, base: Artifact | None, path_of: PathOf) -> oci.Image:
    """The image as its packages recipe says; `base` is the ROOTFS artifact that recipe.base names."""
    layers: list[Layer] = []
    if base:
        layers.append(from_tar(path_of(base)))
    entries = [] if base else list(SCRATCH_FILES)
    place = _merged if base else str
    entries += [entry for path, part in recipe.files.items() for entry in _entries(place(path), part, path_of)]
    entries += [Symlink(place(path), target) for path, target in recipe.links.items()]
    if entries:
        layers.append(from_entries(entries))
    return oci.Image(recipe.reference, tuple(layers), run(recipe))


def write(recipe: types.Image, base: Artifact | None, path_of: PathOf, into: Path) -> None:
    """The image as an archive file."""
    oci.write_archive([image(recipe, base, path_of)], into)


def run(recipe: types.Image) -> oci.Run:
    """How its containers are run; PATH is set unless the recipe sets it."""
    variables = {**dict([oci.PATH.split("=", 1)]), **recipe.env}
    return oci.Run(
        entrypoint=recipe.entrypoint,
        command=recipe.command,
        env=tuple(f"{name}={value}" for name, value in sorted(variables.items())),
        folder=recipe.workdir or "/",
        user=recipe.user,
    )


def _merged(path: str) -> str:
    """The place below a Debian base, where /bin, /sbin and /lib are links that a folder of that name would replace."""
    return f"/usr{path}" if path.startswith(("/bin/", "/sbin/", "/lib/", "/lib64/")) else path


def _entries(path: str, part: types.Part, path_of: PathOf) -> list[Entry]:
    source = path_of(part.artifact)
    if part.member:
        source = source / part.member
    if source.is_dir():
        return tree(source, path.strip("/"))
    if not source.is_file():
        raise ArtifactError(f"{part.artifact} has no {part.member}", hint="`stacklab fetch` makes it again")
    executable = part.artifact.kind is Kind.BINARY or bool(source.stat().st_mode & 0o100)
    return [File(str(PurePosixPath(path)).strip("/"), source, 0o755 if executable else 0o644)]
