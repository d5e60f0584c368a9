"""What a machine holds: texts word for word, the payload's places and archives. UPDATE_GOLDEN=1 rewrites the texts."""

from __future__ import annotations

import os
import tarfile
import tomllib
from pathlib import Path

import pytest
import yaml

from modules.artifacts import catalogue, needs
from modules.artifacts.machine import payload, texts
from modules.artifacts.machine.texts import Limits
from modules.artifacts.source import Origin
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact, Kind
from modules.base.errors import ArtifactError

GOLDEN = Path(__file__).parent / "golden"
VERSION = catalogue.NEWEST.version
PAUSE = "registry.k8s.io/pause:3.10.2"
TEXTS = {
    "containerd.toml": texts.containerd_config(PAUSE),
    "containerd-restricted.toml": texts.containerd_config(PAUSE, Limits(cgroup_v1=True, no_oom_adjust=True)),
    "crictl.yaml": texts.crictl(),
    "modules.conf": texts.modules(),
    "sysctl.conf": texts.sysctls(),
    **{Path(path).name: text for path, text in texts.units().items()},
}


@pytest.mark.parametrize("name", TEXTS)
def test_golden_text(name: str) -> None:
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(TEXTS[name])
    assert TEXTS[name] == file.read_text()


def test_containerd_is_told_what_the_machine_lacks() -> None:
    plain, restricted = (tomllib.loads(TEXTS[f"containerd{kind}.toml"]) for kind in ("", "-restricted"))
    runtime = "io.containerd.cri.v1.runtime"
    assert not plain["plugins"][runtime]["restrict_oom_score_adj"]
    assert restricted["plugins"][runtime]["restrict_oom_score_adj"]
    for config in (plain, restricted):
        assert config["plugins"][runtime]["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"]
        assert config["plugins"]["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"] == PAUSE


def test_crictl_and_containerd_mean_the_same_socket() -> None:
    told = yaml.safe_load(texts.crictl())
    assert told["runtime-endpoint"] == told["image-endpoint"] == "unix:///run/containerd/containerd.sock"


def put(store: Store, artifact: Artifact) -> None:
    content = store.room() / "content"
    if artifact.kind is Kind.TREE:
        members = {p.member for i in catalogue.IMAGES.values() for p in i.files.values() if p.artifact == artifact}
        for member in members or {"x"}:
            if member in ("etc", "sbin"):
                (content / member).mkdir(parents=True)
            else:
                content.mkdir(exist_ok=True)
                (content / member).write_text(member)
    elif artifact.kind is Kind.ROOTFS:
        with tarfile.open(content, "w"):
            pass
    else:
        content.write_text(artifact.id)
    store.put(artifact, content, Origin("packages", "", ""))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    for artifact in needs.needed(needs.Demand(VERSION, "libvirt")):
        put(store, artifact)
    return store


def test_programs_of_kubernetes_lie_beside_those_of_other_versions(store: Store) -> None:
    made = payload.payload(f"v{VERSION}", store)
    for name in ("kubeadm", "kubelet", "kubectl"):
        place = f"/opt/stacklab/kubernetes/{VERSION}/{name}"
        assert made.binaries[place].read_text() == f"binary/{name}@{VERSION}"
        assert made.links[f"/usr/local/bin/{name}"] == place
    assert {Path(path).name for path in made.binaries if path.startswith("/usr/local/bin/")} == {
        "containerd", "containerd-shim-runc-v2", "ctr", "crictl",
    }  # fmt: skip
    assert set(made.etcd) == {f"/usr/local/bin/{name}" for name in ("etcd", "etcdctl", "etcdutl")}
    assert made.cni.is_dir()
    assert made.pause in [image.reference for image in made.images]


def test_only_the_control_plane_is_left_to_masters(store: Store) -> None:
    masters = {
        image.reference.rpartition("/")[2].split(":")[0]
        for image in payload.payload(VERSION, store).images
        if image.masters
    }
    assert masters == {"kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"}


def test_archives_are_put_together_once(store: Store) -> None:
    named = payload.payload(VERSION, store)
    assert not any(image.archive.exists() for image in named.images)
    made = payload.ensure_payload(VERSION, store)
    assert made == named
    for image in made.images:
        with tarfile.open(image.archive) as tar:
            index = tar.extractfile("index.json")
            assert index
            assert image.reference in index.read().decode()
    times = [image.archive.stat().st_mtime_ns for image in made.images]
    payload.ensure_payload(VERSION, store)
    assert [image.archive.stat().st_mtime_ns for image in made.images] == times


def test_an_image_that_the_store_has_whole_is_taken_from_there(store: Store) -> None:
    image = catalogue.images(VERSION)[0]
    put(store, image.artifact)
    [found] = [ref for ref in payload.payload(VERSION, store).images if ref.reference == image.reference]
    assert found.archive == store.path(image.artifact)


def test_an_archive_of_another_content_goes(store: Store) -> None:
    made = payload.ensure_payload(VERSION, store)
    old = made.images[0].archive.with_name("registry.k8s.io_old-000000000000.tar")
    old.write_text("old")
    made.images[0].archive.unlink()
    payload.ensure_payload(VERSION, store)
    assert not old.exists()
    assert made.images[0].archive.exists()


def test_what_is_not_in_the_cache_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=rf"kubeadm@{VERSION} is not in the artifact cache"):
        payload.payload(VERSION, Store(tmp_path))
