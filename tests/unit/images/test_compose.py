"""Every image of the catalogue can be described; images share their base."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from modules.artifacts import catalogue, types
from modules.artifacts.images import compose, oci
from modules.artifacts.images.layer import Layer
from modules.artifacts.types import Artifact, Image, Kind, Part
from modules.base.errors import ArtifactError

BASE = Artifact("base", "1", Kind.ROOTFS)


def names(layer: Layer) -> dict[str, int]:
    stream = io.BytesIO()
    layer.write(stream)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as tar:
        return {member.name: member.mode for member in tar if not member.isdir()}


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    (tmp_path / "base").write_bytes(b"\0" * 1024)
    (tmp_path / "tool").write_bytes(b"elf")
    (tmp_path / "tree" / "sbin").mkdir(parents=True)
    for name, mode in (("sbin/start", 0o755), ("sbin/notes", 0o644)):
        (tmp_path / "tree" / name).write_text(name)
        (tmp_path / "tree" / name).chmod(mode)
    return tmp_path


def image(base: str = "scratch", **files: Part) -> Image:
    places = {f"/{path.replace('__', '/')}": part for path, part in files.items()}
    return Image("registry.test/x", "1", places, ("/x",), base=base, env={"A": "b"}, user="7", workdir="/w")


TOOL = Part(Artifact("tool", "1", Kind.BINARY))


def test_on_a_base_files_go_where_its_links_lead(shelf: Path) -> None:
    made = compose.image(image("base", bin__tool=TOOL, etc__x=TOOL), BASE, lambda a: shelf / a.name)
    assert names(made.layers[1]) == {"usr/bin/tool": 0o755, "etc/x": 0o755}


def test_a_scratch_image_has_users_and_its_own_paths(shelf: Path) -> None:
    made = compose.image(image(bin__tool=TOOL), None, lambda a: shelf / a.name)
    assert len(made.layers) == 1
    assert set(names(made.layers[0])) == {"bin/tool", "etc/passwd", "etc/group", "etc/nsswitch.conf"}


def test_images_on_the_same_base_share_its_layer(shelf: Path) -> None:
    one = compose.image(image("base", one=TOOL), BASE, lambda a: shelf / a.name)
    two = compose.image(image("base", two=TOOL), BASE, lambda a: shelf / a.name)
    assert one.layers[0].digest == two.layers[0].digest
    assert one.layers[1].digest != two.layers[1].digest


def test_an_image_that_is_only_its_base_has_one_layer(shelf: Path) -> None:
    assert len(compose.image(image("base"), BASE, lambda a: shelf / a.name).layers) == 1


def test_a_folder_is_laid_with_the_modes_it_has(shelf: Path) -> None:
    tree = Part(Artifact("tree", "1", Kind.TREE), "sbin")
    made = compose.image(image("base", usr__sbin=tree), BASE, lambda a: shelf / a.name)
    assert names(made.layers[1]) == {"usr/sbin/start": 0o755, "usr/sbin/notes": 0o644}


def test_a_part_that_is_not_there_is_named(shelf: Path) -> None:
    gone = Part(Artifact("tree", "1", Kind.TREE), "sbin/gone")
    with pytest.raises(ArtifactError, match="sbin/gone"):
        compose.image(image(x=gone), None, lambda a: shelf / a.name)


def test_how_it_is_run(shelf: Path) -> None:
    settings = json.loads(oci.config(compose.image(image(x=TOOL), None, lambda a: shelf / a.name)))["config"]
    assert settings == {
        "Env": ["A=b", oci.PATH],
        "Entrypoint": ["/x"],
        "User": "7",
        "WorkingDir": "/w",
    }


@pytest.mark.parametrize("described", catalogue.IMAGES.values(), ids=str)
def test_every_image_of_the_catalogue_is_whole(described: types.Image, tmp_path: Path) -> None:
    """Each part is in the catalogue, and what the image starts is in it unless its base has it."""
    for part in described.files.values():
        assert catalogue.find(part.artifact), part
    if described.base != "scratch":
        assert catalogue.find(catalogue.rootfs(described.base))

    def path_of(artifact: Artifact) -> Path:
        place = tmp_path / artifact.id.replace("/", "-")
        if artifact.kind is Kind.TREE:
            for part in described.files.values():
                if part.artifact == artifact:
                    inside = place / part.member
                    (inside if part.member in ("etc", "sbin") else inside.parent).mkdir(parents=True, exist_ok=True)
                    (inside / "start_runit" if inside.is_dir() else inside).write_text("x")
        else:
            place.write_bytes(b"x")
        return place

    base = None if described.base == "scratch" else catalogue.rootfs(described.base)
    made = compose.image(described, base, path_of)
    started = (*described.entrypoint, *described.command)[:1]
    inside = {f"/{name}" for name in names(made.layers[-1])} if described.files else set()
    if started and described.base == "scratch":
        assert started[0] in inside or f"/usr/bin/{started[0]}" in inside
    assert json.loads(oci.config(made))["config"].get("Entrypoint", []) == list(described.entrypoint)
