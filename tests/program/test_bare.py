"""The graph of labs on machines of their own (libvirt, ssh): what waits for what, what is left out when all goes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

import addons
from modules import apps, backends
from modules.topology.plan import LabPlan
from tests.program import mocks, stand_in
from tests.program.mocks import KUBECONFIG, PRIVATE, Graph, Registered

STACKS = Path(__file__).parents[2] / "stacks"
FILES = ("cka", "ha", "hosts")


@pytest.fixture(autouse=True)
def _no_artifacts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in.put_in_place(monkeypatch)
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))
    pytest.importorskip("libvirt")
    from modules.machines.libvirt import image

    boots = image.Image("key", Path("disk"), Path("kernel"), Path("initrd"), "cmdline")
    monkeypatch.setattr(image, "of", lambda plan: boots)


def plan_of(stack: str, **changed: Any) -> LabPlan:
    lab = yaml.safe_load((STACKS / f"Pulumi.{stack}.yaml").read_text())["config"]["stacklab:lab"]
    return stand_in.lab(stack, **{**lab, **changed})


def build(plan: LabPlan, *, preview: bool = False) -> tuple[Graph, list[dict[str, str]]]:
    machines: list[Any] = []

    def program() -> None:
        target = backends.create(plan)
        installed = addons.install(plan, target)
        apps.deploy(plan, target, installed)
        machines.append(target.machines)

    graph = mocks.run(program, preview=preview)
    return graph, mocks.value(machines[0])


@pytest.fixture(params=FILES)
def lab(request: pytest.FixtureRequest) -> tuple[LabPlan, Graph]:
    plan = plan_of(request.param)
    return plan, build(plan)[0]


def before(resource: Registered, graph: Graph) -> set[str]:
    """Everything that is there before Pulumi begins with this one."""
    by_urn = {r.urn: r for r in graph.resources}
    found: set[str] = set()
    new = set(resource.depends_on)
    while new:
        found |= new
        new = {urn for known in new if known in by_urn for urn in by_urn[known].depends_on} - found
    return found


def members(plan: LabPlan, graph: Graph, role: str) -> list[Registered]:
    return [graph.one("Member", m.name) for m in plan.machines if m.role == role]


def test_every_machine_is_prepared_and_a_member(lab: tuple[LabPlan, Graph]) -> None:
    plan, graph = lab
    names = sorted(m.name for m in plan.machines)
    assert sorted(r.name for r in graph.of("PreparedMachine")) == names
    assert sorted(r.name for r in graph.of("Member")) == names
    urns = [r.urn for r in graph.resources]
    assert len(urns) == len(set(urns))


def test_the_cluster_begins_when_all_masters_are_prepared_and_no_worker_has_to_be(lab: tuple[LabPlan, Graph]) -> None:
    plan, graph = lab
    seen = before(graph.one("ControlPlane"), graph)
    for machine in plan.machines:
        prepared = graph.one("PreparedMachine", machine.name).urn
        assert (prepared in seen) == (machine.role == "master"), machine.name


def test_masters_join_one_after_the_other_and_workers_at_once(lab: tuple[LabPlan, Graph]) -> None:
    plan, graph = lab
    masters, workers = members(plan, graph, "master"), members(plan, graph, "worker")
    for first, second in pairwise(masters):
        assert first.urn in before(second, graph)
    for worker in workers:
        seen = before(worker, graph)
        assert {m.urn for m in masters} <= seen
        assert not {w.urn for w in workers} & seen


def test_destroying_the_whole_lab_asks_no_member_to_leave(lab: tuple[LabPlan, Graph]) -> None:
    plan, graph = lab
    control = graph.one("ControlPlane")
    for member in graph.of("Member"):
        assert member.deleted_with == control.urn
    for obj in graph.inside():
        assert obj.deleted_with == control.urn, obj.name
    for prepared in graph.of("PreparedMachine"):
        # What exists already is given back; a VM goes as a whole.
        assert bool(prepared.deleted_with) == (plan.backend == "libvirt")


def test_objects_are_waited_for_when_all_machines_are_in(lab: tuple[LabPlan, Graph]) -> None:
    _, graph = lab
    all_in = {r.urn for r in graph.of("Member")}
    for waiting in graph.of("Ready"):
        assert all_in <= before(waiting, graph), waiting.name


def test_the_pods_network_waits_for_the_nodes_of_all_machines(lab: tuple[LabPlan, Graph]) -> None:
    plan, graph = lab
    for waiting in graph.of("Ready"):
        wanted = [m.name for m in plan.machines] if waiting.name == "calico/ready" else []
        assert sorted(waiting.inputs["joined"]) == sorted(wanted), waiting.name


def test_objects_are_told_while_machines_join_unless_these_may_be_emulated(lab: tuple[LabPlan, Graph]) -> None:
    plan, graph = lab
    all_in = {r.urn for r in graph.of("Member")}
    definitions = graph.of("Definitions")
    assert definitions
    for told in (*definitions, *graph.inside()) if plan.backend == "libvirt" else definitions:
        assert (before(told, graph) & all_in) == (all_in if plan.backend == "libvirt" else set()), told.name


def test_no_secret_is_told_in_clear(lab: tuple[LabPlan, Graph]) -> None:
    _, graph = lab
    for secret in (KUBECONFIG, PRIVATE):
        assert [r.name for r in graph.resources if secret in r.in_clear] == []
    assert "kubeconfig" in graph.one("ControlPlane").secret_outputs
    assert all("token" not in r.in_clear for r in graph.of("Member"))


def test_every_machine_says_how_it_is_reached() -> None:
    _, machines = build(plan_of("cka"))
    assert [m["ssh"] for m in machines] == [f"ssh -F .stacklab/labs/cka/ssh/config vms2{n}.rhce.cc" for n in (1, 2, 3)]
    assert [m["address"] for m in machines] == ["192.168.26.21", "192.168.26.22", "192.168.26.23"]


def test_an_etcd_of_its_own_is_there_before_the_cluster() -> None:
    plan = plan_of("hosts", etcd=["master-1", "worker-1", "worker-2"])
    graph, _ = build(plan)
    etcd = graph.one("EtcdMembers")
    assert etcd.urn in before(graph.one("ControlPlane"), graph)
    assert {graph.one("PreparedMachine", name).urn for name in plan.etcd} <= before(etcd, graph)
    assert graph.one("ControlPlane").inputs["etcd"] == sorted(m.address for m in plan.machines)


def test_a_worker_more_is_no_change_for_the_others() -> None:
    def told(workers: list[str]) -> dict[str, dict[str, Any]]:
        machines = [{"name": name, "address": f"192.168.56.2{n}"} for n, name in enumerate(workers, 1)]
        graph, _ = build(plan_of("hosts", workers=machines))
        return {r.name: r.inputs for r in (*graph.of("Member"), *graph.of("ControlPlane"))}

    before_, after = told(["worker-1"]), told(["worker-1", "worker-2"])
    for name, inputs in before_.items():
        assert after[name] == inputs, name


def test_a_first_preview_lists_what_an_update_makes(lab: tuple[LabPlan, Graph]) -> None:
    plan, graph = lab
    preview, _ = build(plan, preview=True)
    assert sorted((r.type, r.name) for r in preview.resources) == sorted((r.type, r.name) for r in graph.resources)
