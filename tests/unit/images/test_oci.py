"""The archive that engines and containerd load."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from modules.artifacts.images import oci
from modules.artifacts.images.layer import File, Layer, from_entries

BASE = from_entries([File("base", b"shared")])
IMAGES = [
    oci.Image("registry.test/one:1", (BASE, from_entries([File("one", b"1")])), oci.Run(entrypoint=("/one",))),
    oci.Image(
        "registry.test/two:v2",
        (BASE, from_entries([File("two", b"2")])),
        oci.Run(command=("two",), user="65534", env=("A=b",), folder="/srv", stop_signal="SIGRTMIN+3"),
    ),
]
GOLDEN = Path(__file__).parent / "golden"


def contents(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        found: dict[str, bytes] = {}
        for member in tar:
            assert member.name not in found, "each blob is in it once"
            stream = tar.extractfile(member)
            found[member.name] = stream.read() if stream else b""
        return found


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    oci.write_archive(IMAGES, tmp_path / "images.tar")
    return tmp_path / "images.tar"


def test_the_same_images_give_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    oci.write_archive(IMAGES, tmp_path / "again.tar")
    assert archive.read_bytes() == (tmp_path / "again.tar").read_bytes()


def test_every_blob_is_what_its_name_says(archive: Path) -> None:
    blobs = {name: blob for name, blob in contents(archive).items() if name.startswith("blobs/")}
    assert len(blobs) == 2 * 2 + 3  # configuration and manifest of each; two layers and the shared one
    for name, blob in blobs.items():
        assert name == f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}"


def test_both_indexes_lead_to_the_same_configurations_and_layers(archive: Path) -> None:
    files = contents(archive)
    docker: list[dict[str, Any]] = json.loads(files["manifest.json"])
    index = json.loads(files["index.json"])
    for entry, described, image in zip(docker, index["manifests"], IMAGES, strict=True):
        manifest = json.loads(files["blobs/" + described["digest"].replace(":", "/")])
        assert described["annotations"]["io.containerd.image.name"] == image.name
        assert entry["RepoTags"] == [image.name]
        assert entry["Config"] == "blobs/" + manifest["config"]["digest"].replace(":", "/")
        assert entry["Layers"] == ["blobs/" + layer["digest"].replace(":", "/") for layer in manifest["layers"]]
        settings = json.loads(files[entry["Config"]])
        assert settings["rootfs"]["diff_ids"] == [layer.digest for layer in image.layers]
        for described_blob in (manifest["config"], *manifest["layers"]):
            blob = files["blobs/" + described_blob["digest"].replace(":", "/")]
            assert described_blob["size"] == len(blob)


def test_golden_configuration_and_manifest() -> None:
    found = {"config": json.loads(oci.config(IMAGES[1])), "manifest": json.loads(oci.manifest(IMAGES[1]))}
    assert found == json.loads((GOLDEN / "image.json").read_text())


def test_a_layer_that_changes_while_it_is_written_is_noticed(tmp_path: Path) -> None:
    liar = Layer(BASE.digest, BASE.size + 1, BASE.write)
    with pytest.raises(ValueError, match="changed"):
        oci.write_archive([oci.Image("registry.test/x:1", (liar,))], tmp_path / "x.tar")


def test_only_archives_of_ours_are_plain(archive: Path, tmp_path: Path) -> None:
    assert oci.is_plain(archive)
    with tarfile.open(tmp_path / "pulled.tar", "w") as tar:
        (tmp_path / "index.json").write_text('{"schemaVersion": 2, "manifests": []}')
        tar.add(tmp_path / "index.json", "index.json")
    assert not oci.is_plain(tmp_path / "pulled.tar")
