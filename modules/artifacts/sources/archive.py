"""The OCI archive of one pulled image: a tar that `ctr images import`, `podman load` and `docker load` all take.

The same image gives the same bytes: fixed order, no times, no owners.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

from modules.artifacts.sources.checksums import Digest
from modules.artifacts.sources.registry import Manifest

INDEX = "application/vnd.oci.image.index.v1+json"


def write(target: Path, name: str, manifest: Manifest, blobs: Mapping[Digest, Path]) -> None:
    """Write the image `name` (with its tag) out of its manifest and its blobs (configuration and layers)."""
    data = manifest.data
    config, layers = data["config"]["digest"], [layer["digest"] for layer in data["layers"]]
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            {
                "mediaType": manifest.media_type,
                "digest": str(manifest.digest),
                "size": len(manifest.body),
                # containerd reads the first annotation, podman either of them.
                "annotations": {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name},
            }
        ],
    }
    docker = [{"Config": _place(config), "RepoTags": [name], "Layers": [_place(layer) for layer in layers]}]
    texts = {
        "oci-layout": json.dumps({"imageLayoutVersion": "1.0.0"}).encode(),
        "index.json": json.dumps(index, sort_keys=True).encode(),
        "manifest.json": json.dumps(docker, sort_keys=True).encode(),
        _place(str(manifest.digest)): manifest.body,
    }
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for path, body in texts.items():
            tar.addfile(_entry(path, len(body)), io.BytesIO(body))
        for digest, blob in blobs.items():
            with blob.open("rb") as file:
                tar.addfile(_entry(_place(str(digest)), blob.stat().st_size), file)


def _place(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    return entry
