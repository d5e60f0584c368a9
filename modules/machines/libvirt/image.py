"""What the machines of a lab boot: our own image with its kernel beside it, or an official one with a boot loader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from modules.artifacts.needs import OWN_DISK as OURS
from modules.base import paths
from modules.base.errors import ArtifactError, StacklabError
from modules.host import engine
from modules.topology.plan import LabPlan

QCOW2 = b"QFI\xfb"


@dataclass(frozen=True)
class Image:
    """Local files, there or to be made. key identifies the contents; kernel and initrd are None with a boot loader."""

    key: str
    disk: Path
    kernel: Path | None = None
    initrd: Path | None = None
    cmdline: str = ""
    url: str = ""  # where the disk comes from when it is not there
    checksum: str = ""
    kubernetes: str = ""  # what it is built for when it is our own
    addons: tuple[str, ...] = ()

    @property
    def files(self) -> Mapping[str, Path]:
        """What has to be brought to libvirt's host."""
        found = {"base": self.disk, "kernel": self.kernel, "initrd": self.initrd}
        return {role: file for role, file in found.items() if file is not None}


def of(plan: LabPlan) -> Image:
    """The image that a plan names. A file or URL is not read here: a preview asks too."""
    named = plan.libvirt.image
    if named == OURS:
        from modules.artifacts.images.machine import machine_image  # needed for no other image

        addons = tuple(plan.addons)
        made = machine_image(plan.kubernetes, addons=addons)
        files = (made.disk, made.kernel, made.initrd)
        return Image(made.name, *files, made.cmdline, kubernetes=plan.kubernetes, addons=addons)
    if named.startswith(("http://", "https://")):
        checksum = plan.libvirt.checksum or ""
        return Image(checksum, _downloaded(checksum), url=named, checksum=checksum)
    path = Path(named).expanduser()
    path = path if path.is_absolute() else paths.checkout() / path
    if not path.is_file():
        raise StacklabError(
            "this disk image is not there", where=str(path), hint="mend libvirt.image in the stack file"
        )
    found = path.stat()
    return Image(f"{path} {found.st_size} {found.st_mtime_ns}", path)


def build(kubernetes: str, addons: Sequence[str]) -> Image:
    """Our own image with its files there: built where they are not."""
    from modules.artifacts.images.machine import ensure_machine_image

    made = ensure_machine_image(kubernetes, engine.choose(), addons=addons)
    files = (made.disk, made.kernel, made.initrd)
    return Image(made.name, *files, made.cmdline, kubernetes=kubernetes, addons=tuple(addons))


def bring(url: str, checksum: str) -> Path:
    """Download an image once; only with its checksum."""
    from modules.artifacts.sources import checksums, client, download

    algorithm, _, value = checksum.partition(":")
    target = _downloaded(checksum)
    target.parent.mkdir(parents=True, exist_ok=True)
    with client.open_client() as http:
        return download.download(http, url, target, expected=checksums.Digest(algorithm, value))


def format_of(disk: Path) -> str:
    """qcow2 or raw, by its first bytes."""
    try:
        with disk.open("rb") as file:
            return "qcow2" if file.read(4) == QCOW2 else "raw"
    except OSError as error:
        raise ArtifactError(f"the disk image cannot be read: {error.strerror}", where=str(disk)) from None


def _downloaded(checksum: str) -> Path:
    return paths.cache() / "machine-images" / f"{checksum.partition(':')[2][:32]}.img"
