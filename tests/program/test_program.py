"""The graph of every stack file, on the kind backend and without an engine: what there is, and what hangs on what."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pulumi
import pytest
import yaml

import addons
from modules import apps, backends, program
from modules.base.errors import StacklabError
from modules.cluster import Cluster, awaited
from modules.manifests.objects import WORKLOADS
from modules.topology import promises
from modules.topology.plan import LabPlan
from tests.program import mocks, stand_in
from tests.program.mocks import KUBECONFIG, Graph, Registered

STACKS = Path(__file__).parents[2] / "stacks"
FILES = sorted(file.name for file in STACKS.glob("Pulumi.*.yaml"))
# What only other backends have, or spell otherwise.
ELSEWHERE = ("etcd", "libvirt", "ssh", "minikube")


@pytest.fixture(autouse=True)
def _no_artifacts(monkeypatch: pytest.MonkeyPatch) -> None:
    from modules.artifacts import images

    stand_in.put_in_place(monkeypatch)
    monkeypatch.setattr(
        images, "node_image", lambda version, addons: f"localhost/stacklab/node:v{version}", raising=False
    )


def on_kind(file: str) -> LabPlan:
    """The plan of a stack file as if its machines were containers of this host."""
    lab = yaml.safe_load((STACKS / file).read_text())["config"]["stacklab:lab"]
    if lab["backend"] != "kind":
        for role in ("masters", "workers"):
            if isinstance(lab.get(role), list):
                lab[role] = len(lab[role])
        network = {key: value for key, value in lab.get("network", {}).items() if key in ("pods", "services", "proxy")}
        lab = {**{k: v for k, v in lab.items() if k not in ELSEWHERE}, "backend": "kind", "network": network}
    return stand_in.lab(file.split(".")[1], **lab)


def build(plan: LabPlan, *, preview: bool = False) -> tuple[Graph, list[Any]]:
    """The registered graph, and the exposure records."""
    records: list[Any] = []

    def program() -> None:
        target = backends.create(plan)
        installed = addons.install(plan, target)
        records.extend(apps.deploy(plan, target, installed))

    graph = mocks.run(program, preview=preview)
    return graph, [mocks.value(record) for record in records]


@pytest.fixture(params=FILES)
def graph(request: pytest.FixtureRequest) -> Graph:
    return build(on_kind(request.param))[0]


def test_every_resource_has_a_name_of_its_own(graph: Graph) -> None:
    urns = [r.urn for r in graph.resources]
    assert len(urns) > 40
    assert len(urns) == len(set(urns))
    by_kind = [(r.type, r.name) for r in graph.resources]
    assert len(by_kind) == len(set(by_kind)), "two resources of one kind are told apart by their parent only"


def test_every_object_goes_through_the_labs_own_provider_and_dies_with_its_cluster(graph: Graph) -> None:
    provider = graph.one("kubernetes")
    made = graph.one("KindCluster")
    assert provider.type == "pulumi:providers:kubernetes"
    assert provider.deleted_with == made.urn
    assert graph.inside()
    for obj in graph.inside():
        assert obj.provider.startswith(f"{provider.urn}::"), obj.name
        assert obj.deleted_with == made.urn, obj.name
    for waiting in graph.of("Ready"):
        assert waiting.deleted_with == made.urn


def test_custom_resources_follow_their_definitions(graph: Graph) -> None:
    by_urn = {r.urn: r for r in graph.resources}
    definitions = {
        (one["spec"]["group"], one["spec"]["names"]["kind"]): together
        for together in graph.of("Definitions")
        for one in map(json.loads, together.inputs["definitions"].values())
    }
    custom = [r for r in graph.inside() if (_group(r), r.inputs["kind"]) in definitions]
    assert {r.inputs["kind"] for r in custom} >= {"IPAddressPool", "L2Advertisement"}
    for resource in custom:
        definition = definitions[_group(resource), resource.inputs["kind"]]
        assert definition in [by_urn[urn] for urn in resource.depends_on]


def test_all_addons_are_told_before_anything_is_waited_for(graph: Graph) -> None:
    """Else waits could take every worker that Pulumi has, while what they wait for is not in the cluster yet."""
    waits = [r for r in graph.resources if _waits(r)]
    assert {r.inputs.get("kind", "") for r in waits} >= {"", "Deployment", "Ingress"}
    of_addons = {r.urn for r in graph.inside() if not _of_app(r)}
    for resource in waits:
        if resource.name == "calico/ready":
            assert {urn for urn in of_addons if "::calico/" in urn} <= _before(resource, graph)
        else:
            assert of_addons <= _before(resource, graph), resource.name


def test_names_are_found_once_all_is_told_and_the_network_is_ready_and_nothing_waits_for_them(graph: Graph) -> None:
    dns = graph.one("Ready", "dns/ready")
    assert graph.one("Ready", "calico/ready").urn in dns.depends_on
    assert not [r.name for r in graph.resources if dns.urn in _before(r, graph)]


def test_pods_start_once_their_network_is_ready_and_wait_for_nothing_else_to_run(graph: Graph) -> None:
    network = graph.one("Ready", "calico/ready").urn
    waits = {r.urn for r in graph.resources if _waits(r)}
    for resource in graph.resources:
        runs = _needs_network(resource)
        told_only = not runs and resource.urn not in waits
        seen = waits & _before(resource, graph)
        assert seen <= {network}, resource.name
        assert not (told_only and seen), resource.name
        assert not runs or seen == {network}, resource.name


def test_metrics_are_gathered_while_the_network_starts(graph: Graph) -> None:
    server = graph.one("Deployment", "metrics-server/kube-system/metrics-server")
    before = _before(server, graph)
    assert not {r.urn for r in graph.resources if _waits(r) or r.name.startswith("calico/")} & before


def test_objects_are_deleted_in_the_background(graph: Graph) -> None:
    key = "pulumi.com/deletionPropagationPolicy"
    for obj in graph.inside():
        annotations = obj.inputs["metadata"]["annotations"]
        assert annotations[key] == "background", obj.name
        assert annotations["pulumi.com/patchFieldManager"] == "stacklab"


def test_no_secret_is_told_in_clear(graph: Graph) -> None:
    assert [r.name for r in graph.resources if KUBECONFIG in r.in_clear] == []
    assert graph.one("kubernetes").inputs["kubeconfig"]["value"] == KUBECONFIG, "wrapped as a secret"
    assert "kubeconfig" in graph.one("KindCluster").secret_outputs
    assert [s.secret_outputs for s in graph.of("Secret")] == [["data"]]


def test_a_first_preview_lists_every_object_by_its_kind() -> None:
    preview, _ = build(on_kind("Pulumi.dev.yaml"), preview=True)
    update, _ = build(on_kind("Pulumi.dev.yaml"))
    assert sorted((r.type, r.name) for r in preview.resources) == sorted((r.type, r.name) for r in update.resources)


def test_the_provider_is_replaced_with_the_cluster_and_not_with_its_kubeconfig() -> None:
    provider = build(on_kind("Pulumi.dev.yaml"))[0].one("kubernetes")
    assert provider.inputs["clusterIdentifier"] == "dev/g1"
    assert provider.inputs["enableServerSideApply"] == "true"


def test_the_pods_network_is_told_before_all_other_addons(graph: Graph) -> None:
    network = graph.one("DaemonSet", "calico/kube-system/calico-node").urn
    on_machines = ("calico/", "metrics-server/")
    others = [r for r in graph.inside() if not _of_app(r) and not r.name.startswith(on_machines)]
    assert others
    for resource in others:
        assert network in _before(resource, graph), resource.name


def test_a_network_of_any_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zz.py").write_text(
        """
from addons.base import Addon, Settings

def objects(plan, settings):
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "net", "namespace": "kube-system"}}]

ADDON = Addon("zz", frozenset({"cni"}), Settings, objects)
"""
    )
    monkeypatch.setattr(addons, "__path__", [*addons.__path__, str(tmp_path)])
    graph, _ = build(stand_in.lab(addons={"metallb": {}, "zz": {}}))
    network = graph.one("ConfigMap", "zz/kube-system/net").urn
    assert network in _before(graph.one("Namespace", "metallb/metallb-system"), graph)


def test_records_say_how_each_exposure_is_reached() -> None:
    plan = on_kind("Pulumi.dev.yaml")
    _, records = build(plan)
    machine = plan.machines[0].address
    assert records == [
        {
            "app": "kubia",
            "kind": "clusterip",
            "url": "",
            "command": "kubectl --kubeconfig /labs/dev/kubeconfig port-forward --namespace default"
            " service/kubia 8080:80",
            "host": "kubia.default.svc.cluster.local",
            "address": "10.96.0.7",
            "port": 80,
        },
        {
            "app": "kubia",
            "kind": "nodeport",
            "url": f"http://{machine}:30080/",
            "command": "",
            "host": machine,
            "address": machine,
            "port": 30080,
        },
        {
            "app": "kubia",
            "kind": "loadbalancer",
            "url": "http://10.0.0.200/",
            "command": "",
            "host": "10.0.0.200",
            "address": "10.0.0.200",
            "port": 80,
        },
        {
            "app": "kubia",
            "kind": "ingress",
            "url": "http://kubia.example.com/",
            "command": "curl -H 'Host: kubia.example.com' http://10.0.0.201/",
            "host": "kubia.example.com",
            "address": "10.0.0.201",
            "port": 80,
        },
    ]


def test_a_port_that_kubernetes_picked_is_in_the_record() -> None:
    plan = stand_in.lab(apps=[{"name": "a", "expose": [{"nodeport": {}}]}])
    _, [record] = build(plan)
    assert record["port"] == 31234
    assert record["url"].endswith(":31234/")


def test_a_new_addon_is_installed_by_adding_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "motd.py").write_text(
        """
from addons.base import Addon, Settings

class MotdSettings(Settings):
    text: str = "hello"

def objects(plan, settings):
    metadata = {"name": "motd", "namespace": "default"}
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"motd": settings.text}}]

ADDON = Addon("motd", frozenset(), MotdSettings, objects)
"""
    )
    monkeypatch.setattr(addons, "__path__", [*addons.__path__, str(tmp_path)])
    graph, _ = build(stand_in.lab(addons={"calico": {}, "motd": {"text": "welcome"}}))
    assert graph.one("ConfigMap", "motd/default/motd").inputs["data"] == {"motd": "welcome"}


def test_two_apps_that_want_the_same_object_are_refused() -> None:
    plan = stand_in.lab(
        apps=[{"name": "a", "expose": [{"loadbalancer": {}}]}, {"name": "a-lb", "expose": [{"clusterip": {}}]}]
    )
    with pytest.raises(StacklabError, match="a and a-lb both need the Service default/a-lb"):
        build(plan)


def _group(resource: Registered) -> str:
    return str(resource.inputs["apiVersion"]).rpartition("/")[0]


def _needs_network(resource: Registered) -> bool:
    """Whether it starts pods that cannot run, or do not know what they need, before the network of pods is there."""
    first = ("calico/", "metrics-server/")
    return resource.inputs.get("kind") in WORKLOADS and not resource.name.startswith(first)


def _waits(resource: Registered) -> bool:
    """Whether making it ends only when something runs in the cluster."""
    if resource.type.endswith(":Ready"):
        return True
    if not resource.type.startswith("kubernetes:"):
        return False
    return awaited(resource.inputs)


def _before(resource: Registered, graph: Graph) -> set[str]:
    """Everything that is there before Pulumi begins with this one."""
    by_urn = {r.urn: r for r in graph.resources}
    found: set[str] = set()
    new = set(resource.depends_on)
    while new:
        found |= new
        new = {urn for known in new if known in by_urn for urn in by_urn[known].depends_on} - found
    return found


def _of_app(resource: Registered) -> bool:
    return "stacklab:index:App$" in resource.urn


def test_the_outputs_note_what_differs_on_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs: dict[str, Any] = {}
    monkeypatch.setattr(pulumi, "export", outputs.__setitem__)
    lab = stand_in.lab("dev", backend="kind", masters=2)
    empty = SimpleNamespace(kubeconfig="", kubeconfig_file="", endpoint="", machines=[])
    program.export_outputs(lab, cast("Cluster", empty), [])
    assert lab.warnings
    assert outputs["notes"] == [*lab.warnings, *promises.notes("kind")]
