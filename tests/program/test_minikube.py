"""The graph of a lab on minikube: its own stack file, and the same objects inside as on kind."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from modules import backends
from modules.artifacts import images
from modules.base.errors import HostError
from modules.host import engine
from modules.host.engine import Engine
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


def test_inside_is_the_same_as_on_kind(graph: Graph) -> None:
    """But for addresses: each network is named after its stack."""
    on_kind = build(plan(backend="kind", minikube={}))[0]
    assert sorted((r.type, r.name) for r in graph.inside()) == sorted((r.type, r.name) for r in on_kind.inside())


@pytest.mark.parametrize(
    ("changed", "hint"),
    [
        ({"minikube": {"driver": "docker"}}, "STACKLAB_ENGINE=docker"),
        ({"minikube": {"runtime": "cri-o"}}, "runtime: containerd"),
    ],
)
def test_what_a_lab_cannot_have_here_is_refused_with_a_way_out(changed: dict[str, Any], hint: str) -> None:
    with pytest.raises(HostError) as refused:
        backends.create(plan(**changed))
    assert hint in refused.value.hint


def test_the_engine_that_is_chosen_may_be_named() -> None:
    build(plan(minikube={"driver": "podman"}))
