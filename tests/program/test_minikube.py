"""The graph of a lab on minikube: its own stack file, and the same objects inside as on kind."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from modules import backends
from modules.artifacts import images
from modules.base.errors import HostError
from modules.host import engine, facts
from modules.host.engine import Engine
from modules.host.facts import NodeHost
from modules.local.minikube import settings
from modules.topology.plan import LabPlan
from tests.program import stand_in
from tests.program.mocks import KUBECONFIG, Graph
from tests.program.test_program import STACKS, build

IMAGE = "localhost/stacklab/minikube:v1.36.3-0123456789ab"


@pytest.fixture(autouse=True)
def _no_artifacts(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in.put_in_place(monkeypatch)
    monkeypatch.setattr(images, "base_image", lambda version, addons: IMAGE)
    monkeypatch.setattr(images, "node_image", lambda version, addons: "node")
    monkeypatch.setattr(engine, "choose", lambda: Engine("podman", "podman"))


def plan(**changed: Any) -> LabPlan:
    spec = yaml.safe_load((STACKS / "Pulumi.minikube.yaml").read_text())["config"]["stacklab:lab"]
    return stand_in.lab("minikube", **{**spec, **changed})


@pytest.fixture
def graph() -> Graph:
    return build(plan())[0]


def test_the_stack_file_names_minikube() -> None:
    assert plan().backend == "minikube"


def test_the_cluster_stands_on_the_labs_own_network(graph: Graph) -> None:
    made, network = graph.one("MinikubeCluster"), graph.one("ContainerNetwork")
    assert network.urn in made.depends_on
    assert (made.inputs["name"], made.inputs["image"], made.inputs["engine"]) == ("stacklab-minikube", IMAGE, "podman")
    names = [(m["name"], m["role"]) for m in made.inputs["machines"]]
    assert names == [("stacklab-minikube", "master"), ("stacklab-minikube-m02", "worker")]
    assert all(m["address"].startswith(network.inputs["subnet"].rpartition(".")[0]) for m in made.inputs["machines"])


def test_every_object_dies_with_the_cluster(graph: Graph) -> None:
    made = graph.one("MinikubeCluster")
    assert graph.one("kubernetes").deleted_with == made.urn
    assert graph.inside()
    assert {obj.deleted_with for obj in graph.inside()} == {made.urn}


def test_the_kubeconfig_is_a_secret(graph: Graph) -> None:
    assert "kubeconfig" in graph.one("MinikubeCluster").secret_outputs
    assert [r.name for r in graph.resources if KUBECONFIG in r.in_clear] == []


def test_a_machine_that_is_added_is_a_ready_node_before_up_ends(graph: Graph) -> None:
    [waiting] = [r for r in graph.resources if r.type.endswith(":Ready") and r.inputs["joined"]]
    assert waiting.name == "calico/ready"
    assert sorted(waiting.inputs["joined"]) == ["stacklab-minikube", "stacklab-minikube-m02"]


def test_inside_is_the_same_as_on_kind(graph: Graph) -> None:
    """But for addresses: each network is named after its stack."""
    on_kind = build(plan(backend="kind", minikube={}))[0]
    assert sorted((r.type, r.name) for r in graph.inside()) == sorted((r.type, r.name) for r in on_kind.inside())


def test_an_engine_that_is_not_the_hosts_is_refused_with_a_way_out() -> None:
    with pytest.raises(HostError) as refused:
        backends.create(plan(minikube={"driver": "docker"}))
    assert "STACKLAB_ENGINE=docker" in refused.value.hint


@pytest.mark.parametrize("runtime", ["containerd", "docker", "cri-o"])
def test_the_official_image_may_have_any_runtime(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "node_host", lambda _facts, engine: NodeHost(False, False, None, engine))
    graph = build(plan(minikube={"image": "official", "runtime": runtime}))[0]
    inputs = graph.one("MinikubeCluster").inputs
    assert (inputs["image"], inputs["runtime"]) == (settings.OFFICIAL, runtime)
    assert "@sha256:" in settings.OFFICIAL


@pytest.mark.parametrize(("cgroup_v1", "restrict_oom"), [(True, False), (False, True)])
def test_the_official_image_is_refused_where_only_ours_comes_up(
    cgroup_v1: bool, restrict_oom: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "node_host", lambda _facts, engine: NodeHost(cgroup_v1, restrict_oom, None, engine))
    with pytest.raises(HostError) as refused:
        backends.create(plan(minikube={"image": "official"}))
    assert "image: own" in refused.value.hint


def test_the_engine_that_is_chosen_may_be_named() -> None:
    build(plan(minikube={"driver": "podman"}))
