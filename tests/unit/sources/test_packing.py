"""What a bundle for labs holds, and what is said of one that is not enough: pure but for small files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modules.artifacts import catalogue, needs
from modules.artifacts.lock import Entry, Lock
from modules.artifacts.needs import Demand
from modules.artifacts.source import Origin
from modules.artifacts.sources import packing, reference
from modules.artifacts.sources.bundle_writing import write_bundle
from modules.artifacts.sources.packing import UNKNOWN, Lacking
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact, Kind
from modules.base.errors import ArtifactError
from modules.topology.model import LabSpec
from modules.topology.plan import LabPlan, plan
from tests.unit.artifacts.shelf import fill

NEWEST = catalogue.NEWEST.version
KIND = Demand(NEWEST, "kind", stack="dev")
MINIKUBE = Demand(NEWEST, "minikube", stack="mini")
BACKENDS = ("kind", "minikube", "libvirt", "ssh")


def parts_only(_: Artifact) -> bool:
    return False


def lab(**changed: Any) -> LabPlan:
    return plan(LabSpec.model_validate({"backend": "kind", "kubernetes": NEWEST, **changed}), "dev")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_bundle_has_all_that_up_asks_for_and_nothing_else(backend: str, tmp_path: Path) -> None:
    demand, store = Demand(NEWEST, backend, ("calico", "flannel")), Store(tmp_path)
    packed = packing.contents(demand, parts_only)
    assert set(packed) == set(needs.needed(demand))
    fill(store, *packed)
    assert needs.missing(demand, store) == ()
    assert needs.wanted([demand], store) == ()
    store.forget(packed[-1])
    assert needs.missing(demand, store) == (packed[-1],)


def test_what_several_stacks_need_is_packed_once_and_known_by_their_names() -> None:
    both = packing.needed_by([KIND, MINIKUBE], parts_only)
    assert set(both) == {*packing.contents(KIND, parts_only), *packing.contents(MINIKUBE, parts_only)}
    by_name = {artifact.name: stacks for artifact, stacks in both.items()}
    assert (by_name["kind"], by_name["minikube"], by_name["traefik"]) == (("dev",), ("mini",), ("dev", "mini"))


def test_what_is_missing_is_listed_with_name_digest_and_stacks(tmp_path: Path) -> None:
    here, file = Store(tmp_path / "here"), tmp_path / "lab.tar"
    wanted = packing.needed_by([KIND], parts_only)
    fill(here, *wanted)
    write_bundle(wanted, here, file, stacks=["dev"])
    packing.require_enough(file, [KIND], Store(tmp_path / "there"))
    with pytest.raises(ArtifactError) as caught:
        packing.require_enough(file, [KIND, MINIKUBE], Store(tmp_path / "there"))
    only = sorted(set(packing.contents(MINIKUBE, parts_only)) - set(wanted), key=lambda a: a.id)
    lines = caught.value.output.splitlines()
    assert [line.split("  ")[0] for line in lines] == [artifact.id for artifact in only]
    assert all(line.endswith("  mini: is not in the bundle") for line in lines)
    assert f"{len(only)} of " in caught.value.what
    assert caught.value.hint.startswith("it was written for dev; write it again: stacklab bundle -o FILE mini;")


def test_what_the_cache_has_need_not_be_in_the_bundle(tmp_path: Path) -> None:
    here, file = Store(tmp_path / "here"), tmp_path / "lab.tar"
    wanted = list(packing.contents(KIND, parts_only))
    fill(here, *wanted)
    write_bundle(wanted[1:], here, file)
    there = Store(tmp_path / "there")
    with pytest.raises(ArtifactError, match="1 of "):
        packing.require_enough(file, [KIND], there)
    fill(there, wanted[0])
    packing.require_enough(file, [KIND], there)


def test_the_digest_of_what_a_publisher_offers_is_known_from_the_lock_file(tmp_path: Path) -> None:
    kubectl = catalogue.component("kubectl", Kind.BINARY, NEWEST)
    assert kubectl.upstream is not None
    url = kubectl.upstream.at(NEWEST, reference.machine()).url
    lock = Lock(tmp_path / "lock")
    assert packing.locked(kubectl.artifact, lock) == UNKNOWN
    lock.add(Entry(kubectl.artifact.id, url, "sha256", "ab" * 32, "its publisher"))
    assert packing.locked(kubectl.artifact, lock) == f"sha256:{'ab' * 32} (kubectl)"
    assert packing.locked(catalogue.rootfs("node"), lock) == UNKNOWN
    assert packing.locked(Artifact("stranger", "1", Kind.BINARY), lock) == UNKNOWN


@pytest.mark.parametrize(
    ("image", "mirrors", "lacking"),
    [
        ("stacklab/echo", {}, False),
        ("docker.io/stacklab/echo", {}, False),
        (next(name for name in catalogue.IMAGES if "library/traefik" in name), {}, False),
        ("nginx:1.29", {}, True),
        ("docker.io/library/nginx:1.29", {"country": "cn"}, True),
        ("nginx:1.29", {"registries": {"docker.io": "registry.example.com"}}, False),
        ("nginx:1.29", {"country": "cn", "registries": {"docker.io": "registry.example.com"}}, False),
        ("nginx:1.29", {"registries": {"quay.io": "registry.example.com"}}, True),
        (f"stacklab/echo@sha256:{'0' * 64}", {}, True),
    ],
)
def test_an_image_that_machines_would_pull_is_in_no_bundle(image: str, mirrors: dict[str, Any], lacking: bool) -> None:
    found = packing.out_of_bundles(lab(apps=[{"name": "web", "image": image}], mirrors=mirrors))
    assert [(each.name, each.digest, each.stacks) for each in found] == (
        [(image, UNKNOWN, ("dev",))] if lacking else []
    )
    if lacking:
        with pytest.raises(ArtifactError, match="what no bundle can hold") as caught:
            packing.refuse_what_is_out(found)
        assert "app web runs it" in caught.value.output


def test_a_disk_at_an_address_is_in_no_bundle() -> None:
    def found(backend: str, image: str) -> tuple[Lacking, ...]:
        return packing.out_of_bundles(lab(backend=backend, libvirt={"image": image}))

    assert [each.name for each in found("libvirt", "https://example.com/a.qcow2")] == ["https://example.com/a.qcow2"]
    assert found("libvirt", "/srv/a.qcow2") == found("libvirt", "debian-12") == ()
    assert found("kind", "https://example.com/a.qcow2") == ()


def test_nothing_lacking_is_no_error() -> None:
    packing.refuse_what_is_out([])
    packing.refuse([], 0, Path("none"))


def test_a_whole_image_is_packed_where_there_is_one(tmp_path: Path) -> None:
    image = needs.images(KIND)[0]
    store = Store(tmp_path)
    path = store.room() / "content"
    path.write_text("image")
    store.put(image.artifact, path, Origin("test", "", ""))
    assert image.artifact in packing.contents(KIND, store.has)
    assert not set(needs.parts(image)) & set(packing.contents(KIND, store.has)) - set(needs.fixed(KIND))
