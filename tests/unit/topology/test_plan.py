"""Properties of plans: every generated right lab plans, nothing is given twice, and machines do not move."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.topology.parse import parse
from modules.topology.plan import LabPlan, Machine, plan
from tests.unit.topology.small import KNOWN

STACK_NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
LABELS = st.dictionaries(
    st.sampled_from(["tier", "lab.example.com/rack"]), st.sampled_from(["a", "b-1", ""]), max_size=2
)
TAINTS = st.lists(st.sampled_from(["a=b:NoSchedule", "x:NoExecute"]), max_size=1)
MARKS = {"labels": LABELS, "taints": TAINTS}


@st.composite
def networks(draw: st.DrawFn, fixed: bool, last: int) -> dict[str, Any]:
    network: dict[str, Any] = {"proxy": draw(st.sampled_from(["iptables", "nftables", "ipvs"]))}
    if draw(st.booleans()):
        network |= {"pods": "172.16.0.0/16", "services": "172.17.0.0/16"}
    if fixed:
        network["machines"] = f"10.{draw(st.integers(1, 90))}.{draw(st.integers(0, 255))}.0/24"
        if draw(st.booleans()):
            base = network["machines"].rpartition(".")[0]
            network["loadbalancers"] = f"{base}.{draw(st.integers(200, 220))}-{base}.{draw(st.integers(221, last))}"
    return network


@st.composite
def apps(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = draw(st.lists(st.from_regex(r"[a-z][a-z0-9]{0,9}", fullmatch=True), unique=True, max_size=4))
    ports = draw(st.lists(st.integers(30000, 32767), unique=True, min_size=len(names), max_size=len(names)))
    made = []
    for name, port in zip(names, ports, strict=True):
        kinds: list[dict[str, Any]] = [{"clusterip": {}}, {"nodeport": {"port": port}}, {"loadbalancer": {}}]
        kinds += [{"ingress": {"host": f"{name}.example.com"}}]
        workload = draw(st.sampled_from(["deployment", "statefulset", "daemonset", "job", "cronjob"]))
        expose = draw(st.lists(st.sampled_from(kinds), unique_by=str)) if not workload.endswith("job") else []
        made.append({"name": name, "workload": workload, "expose": expose})
    return made


@st.composite
def labs(draw: st.DrawFn) -> dict[str, Any]:
    """The data of a right stack file."""
    backend = draw(st.sampled_from(["kind", "minikube", "libvirt", "ssh"]))
    # minikube has .254 in front of several masters.
    last = 253 if backend == "minikube" else 254
    network = draw(networks(fixed=backend == "ssh" or draw(st.booleans()), last=last))
    if backend == "ssh" and "loadbalancers" not in network:
        base = network["machines"].rpartition(".")[0]
        network["loadbalancers"] = f"{base}.200-{base}.250"
    lab: dict[str, Any] = {"backend": backend, "network": network, "apps": draw(apps())}
    for role, first, most in (("master", 11, 5), ("worker", 21, 40)):
        counts = st.integers(1 if role == "master" else 0, most)
        if (backend, role) == ("minikube", "master"):
            counts = counts.filter(lambda masters: masters != 2)
        count = draw(counts)
        machines: list[dict[str, Any]] = [draw(st.fixed_dictionaries({}, optional=MARKS)) for _ in range(count)]
        if backend in ("libvirt", "ssh"):
            for index, machine in enumerate(machines):
                machine["name"] = f"{role}-{index + 1}"
        if backend == "ssh":
            for index, machine in enumerate(machines):
                machine["address"] = f"{network['machines'].rpartition('.')[0]}.{first + index}"
        lab[f"{role}s"] = machines if backend == "ssh" or draw(st.booleans()) else count
    return lab


def made(lab: dict[str, Any], stack: str = "dev") -> LabPlan:
    return plan(parse(lab, KNOWN), stack)


@settings(deadline=None)
@given(labs(), STACK_NAMES)
def test_every_right_lab_plans_and_nothing_is_given_twice(lab: dict[str, Any], stack: str) -> None:
    planned = made(lab, stack)
    network = IPv4Network(planned.network.machines)
    low, high = (IPv4Address(end) for end in planned.network.loadbalancers)
    names = [machine.name for machine in planned.machines]
    addresses = [IPv4Address(machine.address) for machine in planned.machines]
    assert len(set(names)) == len(names)
    assert len(set(addresses)) == len(addresses)
    assert all(address in network and not low <= address <= high for address in addresses)
    assert low in network
    assert high in network
    assert str(addresses[0]) != planned.network.gateway
    assert planned.network.endpoint not in [str(address) for address in addresses]


@settings(deadline=None)
@given(labs(), STACK_NAMES)
def test_a_plan_is_a_function_of_file_and_stack(lab: dict[str, Any], stack: str) -> None:
    assert made(lab, stack) == made(lab, stack)


@settings(deadline=None)
@given(labs())
def test_adding_a_worker_changes_no_other_machine(lab: dict[str, Any]) -> None:
    before = made(lab)
    workers = lab["workers"]
    if isinstance(workers, int):
        more: Any = workers + 1
    else:
        extra: dict[str, Any] = {}
        if lab["backend"] in ("libvirt", "ssh"):
            extra["name"] = "worker-100"
        if lab["backend"] == "ssh":
            extra["address"] = lab["network"]["machines"].rpartition(".")[0] + ".199"
        more = [*workers, extra]
    after = made({**lab, "workers": more})
    assert after.machines[: len(before.machines)] == before.machines
    assert after.network == before.network


@settings(deadline=None)
@given(labs(), st.data())
def test_removing_a_named_machine_leaves_the_others_as_they_are(lab: dict[str, Any], data: st.DataObject) -> None:
    lab = {**lab, "backend": "libvirt", "workers": [{"name": f"worker-{n}"} for n in (1, 2, 3, 9)], "masters": 1}
    gone = data.draw(st.sampled_from(lab["workers"]))
    before = made(lab)
    after = made({**lab, "workers": [worker for worker in lab["workers"] if worker is not gone]})
    assert after.machines == tuple(m for m in before.machines if m.name != gone["name"])


def test_two_stacks_have_networks_of_their_own() -> None:
    ranges = {made({"backend": "kind"}, stack).network.machines for stack in ("dev", "test", "alice", "bob")}
    assert len(ranges) == 4


def test_the_names_are_those_that_kind_gives() -> None:
    names = [machine.name for machine in made({"backend": "kind", "masters": 2, "workers": 2}, "dev").machines]
    assert names == [f"stacklab-dev-{end}" for end in ("control-plane", "control-plane2", "worker", "worker2")]


def test_a_name_without_a_number_keeps_its_address() -> None:
    def find(planned: LabPlan, name: str) -> Machine:
        return next(machine for machine in planned.machines if machine.name == name)

    lab = {"backend": "libvirt", "workers": [{"name": "db"}, {"name": "web"}]}
    alone = {"backend": "libvirt", "workers": [{"name": "web"}]}
    assert find(made(lab), "web") == find(made(alone), "web")
    assert find(made(lab), "web").address != find(made(lab), "db").address


@pytest.mark.parametrize(
    ("lab", "port"),
    [
        ({"backend": "kind"}, 6443),
        ({"backend": "libvirt", "workers": 2}, 6443),
        ({"backend": "minikube"}, 8443),
        ({"backend": "kind", "masters": 3}, None),
        (
            {"backend": "libvirt", "masters": 3, "network": {"machines": "10.9.9.0/24", "endpoint": "vip:10.9.9.5"}},
            None,
        ),
    ],
)
def test_one_address_is_the_api_servers_where_there_is_one_server(lab: dict[str, Any], port: int | None) -> None:
    planned = made(lab)
    assert planned.api_server == ((planned.machines[0].address, port) if port else None)


def test_an_even_number_of_masters_is_a_warning_and_no_error() -> None:
    (warning,) = made({"backend": "kind", "masters": 2}).warnings
    assert "bear the loss of 0" in warning
    assert made({"backend": "kind", "masters": 3}).warnings == ()


def test_sizes_that_do_nothing_on_kind_are_a_warning() -> None:
    (warning,) = made({"backend": "kind", "machine": {"memory": "4GiB"}, "workers": [{"cpus": 4}]}).warnings
    assert warning == "machine.memory and workers[0].cpus: no effect on kind, its machines share this host's"
