"""Container images as data, and the archive that engines and containerd load.

An archive is an OCI layout and a `docker save` archive at once (podman, docker and `ctr images import` all read it),
uncompressed and deterministic; a layer that several images share is in it once.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modules.artifacts.images.layer import Layer

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CREATED = "1970-01-01T00:00:00Z"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
PLAIN = "io.stacklab.plain"  # on an archive of ours: no layer takes away what a layer below it has


@dataclass(frozen=True)
class Run:
    """How a container of the image is run."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    env: tuple[str, ...] = (PATH,)
    folder: str = "/"
    user: str = ""
    stop_signal: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Image:
    """name is a full reference with a tag: `registry.k8s.io/pause:3.10.2`."""

    name: str
    layers: tuple[Layer, ...]
    run: Run = field(default_factory=Run)
    architecture: str = "amd64"


def config(image: Image) -> bytes:
    """The image's configuration file; its digest is the image's id."""
    run: dict[str, Any] = {"Env": list(image.run.env), "WorkingDir": image.run.folder}
    if image.run.entrypoint:
        run["Entrypoint"] = list(image.run.entrypoint)
    if image.run.command:
        run["Cmd"] = list(image.run.command)
    if image.run.user:
        run["User"] = image.run.user
    if image.run.stop_signal:
        run["StopSignal"] = image.run.stop_signal
    if image.run.labels:
        run["Labels"] = dict(image.run.labels)
    return _json(
        {
            "created": CREATED,
            "architecture": image.architecture,
            "os": "linux",
            "config": run,
            "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in image.layers]},
            "history": [{"created": CREATED, "created_by": "stacklab"} for _ in image.layers],
        }
    )


def manifest(image: Image) -> bytes:
    """The manifest: the configuration and the layers by digest."""
    return _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _descriptor(CONFIG, config(image)),
            "layers": [{"mediaType": LAYER, "digest": layer.digest, "size": layer.size} for layer in image.layers],
        }
    )


def digest(image: Image) -> str:
    """The digest of the image's manifest."""
    return _digest(manifest(image))


def write_archive(images: Sequence[Image], into: Path) -> None:
    """Write all images into one archive file."""
    with tarfile.open(into, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _add(tar, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _add(tar, "index.json", _index(images))
        _add(tar, "manifest.json", _docker_manifest(images))
        blobs = {_digest(blob): blob for image in images for blob in (config(image), manifest(image))}
        for name, blob in sorted(blobs.items()):
            _add(tar, _blob(name), blob)
        for layer in {layer.digest: layer for image in images for layer in image.layers}.values():
            _add_layer(tar, layer)


def is_plain(archive: Path) -> bool:
    """Whether an archive was written by `write_archive`: whiteouts cannot be in it."""
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.name == "index.json" and (stream := tar.extractfile(member)):
                annotations = json.load(stream).get("annotations") or {}
                return bool(annotations.get(PLAIN) == "true")
    return False


def _index(images: Sequence[Image]) -> bytes:
    return _json(
        {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "annotations": {PLAIN: "true"},
            "manifests": [
                {
                    **_descriptor(MANIFEST, manifest(image)),
                    "annotations": {
                        "io.containerd.image.name": image.name,
                        "org.opencontainers.image.ref.name": image.name.rpartition(":")[2],
                    },
                    "platform": {"architecture": image.architecture, "os": "linux"},
                }
                for image in images
            ],
        }
    )


def _docker_manifest(images: Sequence[Image]) -> bytes:
    return _json(
        [
            {
                "Config": _blob(_digest(config(image))),
                "RepoTags": [image.name],
                "Layers": [_blob(layer.digest) for layer in image.layers],
            }
            for image in images
        ]
    )


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    header = tarfile.TarInfo(name)
    header.size = len(content)
    tar.addfile(header, io.BytesIO(content))


def _add_layer(tar: tarfile.TarFile, layer: Layer) -> None:
    """Header, then the layer rendered straight into the archive."""
    header = tarfile.TarInfo(_blob(layer.digest))
    header.size = layer.size
    tar.addfile(header)
    stream = tar.fileobj
    if stream is None:
        raise ValueError("the archive is closed")
    before = stream.tell()
    layer.write(stream)
    if stream.tell() - before != layer.size:
        raise ValueError(f"layer {layer.digest} changed while it was written")
    stream.write(tarfile.NUL * (-layer.size % tarfile.BLOCKSIZE))
    tar.offset = stream.tell()


def _descriptor(media_type: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(blob), "size": len(blob)}


def _json(data: object) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _blob(name: str) -> str:
    return f"blobs/{name.replace(':', '/', 1)}"
