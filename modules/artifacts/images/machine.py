"""The disk image of a virtual machine: Debian, everything Kubernetes needs, the lab's images unpacked in containerd.

One ext4 file system without partitions or boot loader; the kernel and the first files lie beside it and are handed over
by the hypervisor. Made in a container, so nothing is mounted on this host: the root file system and the payload become
a container image, a container of it fills containerd's store and writes the file system. The name carries the hash of
everything that goes in.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from modules.artifacts import catalogue
from modules.artifacts.images import bake, engine, node, oci, prepare
from modules.artifacts.images.engine import ContainerEngine
from modules.artifacts.images.layer import Entry, File, Folder, Symlink, from_entries, from_tar, tree
from modules.artifacts.machine import payload, system, texts
from modules.artifacts.machine.payload import Payload
from modules.artifacts.store import Store
from modules.base import paths
from modules.base.errors import ArtifactError
from modules.base.shell import run

log = logging.getLogger("stacklab.images")

REPOSITORY = "localhost/stacklab/machine-base"
TIMEOUT = 900
CODE = ("machine.py", "compose.py", "layer.py", "oci.py", "files/import.sh", "files/disk.sh")


@dataclass(frozen=True)
class MachineImage:
    """name changes with the contents. disk is a qcow2 file; kernel, initrd and cmdline boot it."""

    name: str
    disk: Path
    kernel: Path
    initrd: Path
    cmdline: str

    @property
    def whole(self) -> bool:
        return all(file.exists() for file in (self.disk, self.kernel, self.initrd))


def machine_image(kubernetes: str, store: Store | None = None, *, addons: Iterable[str] = ()) -> MachineImage:
    """What it is called and where it is, or will be; ArtifactError names what is not in the artifact cache yet."""
    store = store or Store(paths.cache())
    addons = tuple(addons)
    name = _name(payload.payload(kubernetes, store, addons=addons), catalogue.extras(addons), store)
    folder = _folder(store) / name
    return MachineImage(name, folder / "disk.qcow2", folder / "vmlinuz", folder / "initrd", system.CMDLINE)


def ensure_machine_image(
    kubernetes: str, runs: ContainerEngine, store: Store | None = None, *, addons: Iterable[str] = ()
) -> MachineImage:
    """The same, and its files are there when this returns: about a minute and a half, once."""
    store, addons = store or Store(paths.cache()), tuple(addons)
    wanted = machine_image(kubernetes, store, addons=addons)
    if wanted.whole:
        return wanted
    with prepare.alone() as work:
        if not wanted.whole:
            _build(kubernetes, addons, wanted, runs, store, work)
            _drop_older(wanted, store)
    return wanted


def entries(held: Payload) -> list[Entry]:
    """Every file of a machine beside its root file system."""
    found: list[Entry] = []
    for files in (held.binaries, held.etcd, held.extra_cni):
        found += [File(path.strip("/"), source, 0o755) for path, source in files.items()]
    found += tree(held.cni, payload.CNI.strip("/"), executable=lambda name: True)
    for path, text in texts_of(held).items():
        found.append(File(path.strip("/"), text.encode()))
    for path, target in {**held.links, **system.links(), **_enabled()}.items():
        found.append(Symlink(path.strip("/"), target))
    found += [Folder("etc/kubernetes/manifests"), Folder(texts.REGISTRIES.strip("/")), Folder("var/lib/containerd")]
    return found


def texts_of(held: Payload) -> dict[str, str]:
    return {
        **system.files(),
        **texts.units(),
        texts.CONTAINERD_CONFIG: texts.containerd_config(held.pause),
        texts.CRICTL_CONFIG: texts.crictl(),
        texts.MODULES_FILE: texts.modules(),
        texts.SYSCTLS_FILE: texts.sysctls(),
        payload.IMAGES_LIST: "".join(f"{image.reference}\n" for image in held.images),
    }


def _enabled() -> dict[str, str]:
    wants = "/etc/systemd/system/multi-user.target.wants"
    return {f"{wants}/{Path(unit).name}": unit for unit in (texts.CONTAINERD_UNIT, texts.KUBELET_UNIT)}


def _name(held: Payload, extras: tuple[str, ...], store: Store) -> str:
    """Blobs of the store are named by their digests, archives by the hash of what they are made of."""
    inputs = {
        "rootfs": store.digest(catalogue.rootfs("machine")),
        "files": {
            path: file.name for files in (held.binaries, held.etcd, held.extra_cni) for path, file in files.items()
        },
        "cni": held.cni.name,
        "images": [[image.reference, image.archive.name] for image in held.images],
        "texts": texts_of(held),
        "links": {**held.links, **system.links(), **_enabled()},
        "label": system.LABEL,
        "code": node.code(*CODE),
    }
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:12]
    return "-".join(("_".join((f"v{held.kubernetes}", *extras)), digest))


def _folder(store: Store) -> Path:
    return store.root / "images" / "machines"


def command(base: str, target: str, archives: bake.Archives, out: Path) -> list[str]:
    """The engine's arguments that make the file system, in a container of `base`."""
    mounts = [
        (archive, f"/run/stacklab/{kind}/{number:03}.tar")
        for kind, files in (("own", archives.own), ("foreign", archives.foreign))
        for number, archive in enumerate(files)
    ]
    return [
        "run",
        f"--name={bake.job(target)}",
        "--privileged",
        "--network=none",
        "--entrypoint=/bin/sh",
        f"--volume={bake.job(target)}:/run/stacklab/build",
        f"--volume={out}:/run/stacklab/out",
        *(f"--volume={archive}:{place}:ro" for archive, place in mounts),
        base,
        "-c",
        node.script("import.sh") + node.script("disk.sh"),
        "disk",
        system.LABEL,
    ]


def _build(
    kubernetes: str, addons: tuple[str, ...], wanted: MachineImage, runs: ContainerEngine, store: Store, work: Path
) -> None:
    log.info("making the machine image %s: about a minute and a half, once", wanted.name)
    if not shutil.which("qemu-img"):
        raise ArtifactError(
            "qemu-img is not installed: the machine image is made with it",
            hint="sudo apt-get install --no-install-recommends qemu-utils",
        )
    held = payload.payload(kubernetes, store, addons=addons)
    rootfs = store.path(catalogue.rootfs("machine"))
    base, out = f"{REPOSITORY}:{wanted.name}", work / "out"
    out.mkdir()
    archive = work / "base.tar"
    oci.write_archive([oci.Image(base, (from_tar(rootfs), from_entries(entries(held))))], archive)
    engine.load(runs, archive)
    archive.unlink()
    try:
        bake.clear(runs, wanted.name)
        images = prepare.archives(catalogue.images(kubernetes, addons), store, work)
        runs.run(
            *command(base, wanted.name, images, out),
            timeout=TIMEOUT,
            where=f"machine image {wanted.name}",
            hint="`stacklab doctor` says what this host's container engine can do",
        )
    finally:
        bake.clear(runs, wanted.name)
        engine.forget(runs, base)
    raw, disk = out / "disk.raw", out / "disk.qcow2"
    run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, disk], timeout=TIMEOUT, where=str(disk))
    raw.unlink()
    _take_kernel(rootfs, out)
    folder = wanted.disk.parent
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    out.rename(folder)


def _take_kernel(rootfs: Path, into: Path) -> None:
    """The one kernel of the root file system and its first files."""
    with tarfile.open(rootfs) as tar:
        for member in tar:
            for prefix, name in (("boot/vmlinuz-", "vmlinuz"), ("boot/initrd.img-", "initrd")):
                if member.isfile() and member.name.removeprefix("./").startswith(prefix):
                    source = tar.extractfile(member)
                    assert source  # noqa: S101  # isfile() says so
                    with source, (into / name).open("wb") as target:
                        shutil.copyfileobj(source, target)
    lacking = [name for name in ("vmlinuz", "initrd") if not (into / name).exists()]
    if lacking:
        raise ArtifactError(f"the machine's root file system has no {' and no '.join(lacking)} in /boot")


def _drop_older(wanted: MachineImage, store: Store) -> None:
    """What earlier builds of the same version and kind made."""
    kind = wanted.name.rpartition("-")[0]
    for folder in _folder(store).iterdir():
        if folder.name != wanted.name and folder.name.rpartition("-")[0] == kind:
            shutil.rmtree(folder, ignore_errors=True)
