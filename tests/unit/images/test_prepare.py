"""The way in: the name from the store's digests, one build for all who ask, nothing left behind."""

from __future__ import annotations

import json
import tarfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from modules.artifacts import catalogue, image_table
from modules.artifacts.images import node, oci, prepare
from modules.artifacts.images.layer import File, from_entries
from modules.artifacts.source import Origin
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact, Kind
from modules.base.errors import ArtifactError, CommandError
from modules.base.shell import Result

VERSION = catalogue.NEWEST.version
CONFIG = 'sandbox_image = "registry.k8s.io/pause:3.10"\n'


def put(store: Store, artifact: Artifact, text: str = "") -> None:
    room = store.room() / "content"
    if artifact.kind is Kind.TREE:
        for name in ("etc/containerd/config.toml", "sbin/start_runit", *image_members(artifact)):
            (room / name).parent.mkdir(parents=True, exist_ok=True)
            (room / name).write_text(CONFIG + text)
    else:
        room.write_text(artifact.id + text)
    store.put(artifact, room, Origin("packages", "test", ""))


def image_members(tree: Artifact) -> list[str]:
    parts = [part for image in catalogue.IMAGES.values() for part in image.files.values()]
    return [part.member for part in parts if part.artifact == tree and part.member not in ("etc", "sbin")]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("STACKLAB_CACHE", str(tmp_path))
    store = Store(tmp_path)
    for artifact in prepare.inputs(prepare.recipe(VERSION), store):
        put(store, artifact)
    for part in image_table.load_balancer().files.values():
        put(store, part.artifact)
    return store


class FakeEngine:
    """Has what was committed or loaded into it; `run` can be made to wait or to fail."""

    name = "podman"
    binary = "podman"
    env: Mapping[str, str] = {}

    def __init__(self) -> None:
        self.images: set[str] = set()
        self.verbs: list[str] = []
        self.started: list[tuple[str, ...]] = []
        self.loaded: list[list[str]] = []
        self.fail = False
        self.gate = threading.Event()
        self.gate.set()

    def run(self, *args: str, timeout: float, **kw: Any) -> Result:
        self.verbs.append(args[0])
        code, said = 0, ""
        match args:
            case ("image", "inspect", *_):
                code = 0 if args[-1] in self.images else 1
            case ("load", *_):
                self.loaded.append(tags(Path(args[-1])))
                self.images.update(self.loaded[-1])
            case ("run", *_):
                self.started.append(args)
                self.gate.wait(10)
                if self.fail:
                    raise CommandError("podman failed", code=1, command="podman run", output="")
            case ("commit", *_):
                self.images.add(args[-1])
            case ("rmi", *_):
                self.images.discard(args[-1])
            case ("pull", base):
                self.images.add(base)
            case ("images", *_):
                said = "\n".join(sorted(self.images))
        return Result(code, said, "", 0.0)


def tags(archive: Path) -> list[str]:
    with tarfile.open(archive) as tar:
        stream = tar.extractfile("manifest.json")
        assert stream
        return [tag for entry in json.load(stream) for tag in entry["RepoTags"]]


def test_the_name_changes_with_every_input_and_with_nothing_else(store: Store) -> None:
    before = prepare.node_image(VERSION)
    put(store, Artifact("not-in-a-node", "1", Kind.BINARY))
    assert prepare.node_image(VERSION) == before
    names = {before}
    for number, artifact in enumerate(prepare.inputs(prepare.recipe(VERSION), store), 2):
        put(store, artifact, "changed")
        names.add(prepare.node_image(VERSION))
        assert len(names) == number, artifact


def test_what_is_missing_is_named(store: Store) -> None:
    store.forget(catalogue.rootfs("node"))
    with pytest.raises(ArtifactError, match="rootfs/node@"):
        prepare.node_image(VERSION)


def test_it_is_built_once(store: Store, tmp_path: Path) -> None:
    engine = FakeEngine()
    target = prepare.ensure_node_image(VERSION, engine)
    assert target == prepare.node_image(VERSION)
    assert engine.images == {target}, "the image without images is forgotten"
    assert list((tmp_path / "images").iterdir()) == [tmp_path / "images" / "lock"]
    engine.verbs.clear()
    assert prepare.ensure_node_image(VERSION, engine) == target
    assert engine.verbs == ["image"]


def test_two_who_ask_at_once_get_one_build(store: Store) -> None:
    engine = FakeEngine()
    engine.gate.clear()
    threads = [threading.Thread(target=prepare.ensure_node_image, args=(VERSION, engine)) for _ in range(2)]
    for thread in threads:
        thread.start()
    engine.gate.set()
    for thread in threads:
        thread.join(20)
    assert engine.verbs.count("commit") == 1


def test_a_build_that_fails_leaves_nothing_and_the_next_one_succeeds(store: Store, tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.fail = True
    with pytest.raises(CommandError):
        prepare.ensure_node_image(VERSION, engine)
    assert engine.images == set()
    assert list((tmp_path / "images").iterdir()) == [tmp_path / "images" / "lock"]
    engine.fail = False
    assert prepare.ensure_node_image(VERSION, engine) in engine.images


def test_earlier_builds_of_the_same_version_go(store: Store) -> None:
    engine = FakeEngine()
    older = f"{node.REPOSITORY}:v{VERSION}-0123456789ab"
    others = {f"{node.REPOSITORY}:v1.2.3-0123456789ab", f"{node.REPOSITORY}:v{VERSION}-mine", "localhost/mine:1"}
    engine.images = {older, *others}
    target = prepare.ensure_node_image(VERSION, engine)
    assert engine.images == {target, *others}


def test_archives_of_the_store_go_in_as_they_are(store: Store, tmp_path: Path) -> None:
    ours, pulled = catalogue.images(VERSION)[:2]
    oci.write_archive([oci.Image(ours.reference, (from_entries([File("x", b"x")]),))], tmp_path / "ours.tar")
    store.put(ours.artifact, tmp_path / "ours.tar", Origin("bundle", "", ""))
    (tmp_path / "index.json").write_text("{}")
    with tarfile.open(tmp_path / "pulled.tar", "w") as tar:
        tar.add(tmp_path / "index.json", "index.json")
    store.put(pulled.artifact, tmp_path / "pulled.tar", Origin("upstream", "", ""))
    engine = FakeEngine()
    prepare.ensure_node_image(VERSION, engine)
    mounts = [word for word in engine.started[0] if word.startswith("--volume=/")]
    assert mounts == [
        f"--volume={store.path(ours.artifact)}:/stacklab/own/000.tar:ro",
        f"--volume={tmp_path}/images/work/images.tar:/stacklab/own/001.tar:ro",
        f"--volume={store.path(pulled.artifact)}:/stacklab/foreign/000.tar:ro",
    ]


def test_a_ready_node_image_is_pulled_and_keeps_its_own_control_plane(store: Store) -> None:
    engine = FakeEngine()
    base = "registry.test/kindest/node@sha256:00"
    target = prepare.ensure_node_image(VERSION, engine, on=base)
    assert target != prepare.node_image(VERSION)
    assert engine.images == {target, base}
    assert engine.started[0][-3] == base
    assert any(word.endswith(":/stacklab/entrypoint:ro") for word in engine.started[0])
    assert "pull" in engine.verbs
    names = [image.name for image in prepare.recipe(VERSION, base).images]
    assert "docker.io/calico/node" in names
    assert "registry.k8s.io/etcd" not in names


def test_the_load_balancer_has_kinds_name_for_it(store: Store) -> None:
    put(store, catalogue.rootfs("base"))
    engine = FakeEngine()
    name = prepare.ensure_load_balancer_image(engine)
    assert engine.loaded == [[name]]
    prepare.ensure_load_balancer_image(engine)
    assert len(engine.loaded) == 1


def test_the_node_holds_the_pause_image_its_containerd_asks_for() -> None:
    recipe = prepare.recipe(VERSION)
    assert recipe.pause in [image.reference for image in recipe.images]
    assert node.with_pause(CONFIG, recipe.pause) == f'sandbox_image = "{recipe.pause}"\n'
