"""Where the libvirt daemon of this checkout is, when it has to run one itself, and which labs use libvirt.

.stacklab/libvirt/          the daemon's configuration, its images, its log
.stacklab/libvirt-labs/X    lab X uses libvirt; the text is the URI of its stack file
.stacklab/libvirt-uris      the other URIs that labs of this checkout have used: where a receipt looks
/run/stacklab-<id>/         its sockets: their paths must be short
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from modules.base import paths

SYSTEM = "qemu:///system"
RUN = Path("/run")


@dataclass(frozen=True)
class Place:
    """All paths of one daemon."""

    folder: Path
    run: Path

    @property
    def socket(self) -> Path:
        return self.run / "libvirt" / "libvirt-sock"

    @property
    def pid_name(self) -> str:
        """As the daemon sees it: its /run is our folder."""
        return f"/run/{self.run.name}.pid"

    @property
    def pid_file(self) -> Path:
        return self.run / f"{self.run.name}.pid"

    @property
    def log(self) -> Path:
        return self.folder / "log" / "libvirt" / "libvirtd.log"

    @property
    def labs(self) -> Path:
        return self.folder.with_name("libvirt-labs")

    @property
    def uri(self) -> str:
        return _uri(self.socket)

    @property
    def made(self) -> bool:
        """Whether this checkout's labs are on a daemon of its own."""
        return (self.folder / "etc" / "qemu.conf").exists()

    def pid(self) -> int | None:
        """The running daemon."""
        try:
            pid = int(self.pid_file.read_text().strip())
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except (OSError, ValueError):
            return None
        return pid if self.pid_name in words else None


def here() -> Place:
    """This checkout's."""
    work = paths.work()
    return Place(work / "libvirt", RUN / f"stacklab-{hashlib.sha256(str(work).encode()).hexdigest()[:8]}")


def daemons() -> tuple[str, ...]:
    """The daemons that any checkout has started on this host."""
    return tuple(_uri(socket) for socket in sorted(RUN.glob("stacklab-*/libvirt/libvirt-sock")))


def register(stack: str, uri: str) -> None:
    """Note that a lab uses libvirt, before anything of it is made."""
    place = here()
    place.labs.mkdir(parents=True, exist_ok=True)
    (place.labs / stack).write_text(uri + "\n")
    if uri not in used():
        with _uris().open("a") as out:
            out.write(uri + "\n")


def unregister(stack: str) -> None:
    """The lab has nothing on libvirt any more."""
    place = here()
    (place.labs / stack).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        place.labs.rmdir()


def labs() -> Mapping[str, str]:
    """The labs that use libvirt, and their URIs."""
    folder = here().labs
    return {file.name: file.read_text().strip() for file in sorted(folder.glob("*"))} if folder.is_dir() else {}


def used() -> tuple[str, ...]:
    """Every URI that a lab of this checkout has ever named."""
    try:
        return tuple(dict.fromkeys(_uris().read_text().split()))
    except FileNotFoundError:
        return ()


def _uri(socket: Path) -> str:
    return f"{SYSTEM}?socket={quote(str(socket))}"


def _uris() -> Path:
    return paths.work() / "libvirt-uris"
