"""Each exposure, reached over real sockets: green when the app answers as it should, red when it does not."""

from __future__ import annotations

import dataclasses
import json
import shlex
import time

import pytest

from modules.verify import checks
from modules.verify.checks.clusterip import InCluster, PortForward
from modules.verify.checks.host import FromHost, at_each_machine
from modules.verify.context import Context
from modules.verify.lab import App, Machine, enough_requests
from tests.unit.verify.conftest import Serve, exposure, pods_in_turn
from tests.unit.verify.kubectl_fake import FakeKubectl, line

FORWARD = "kubectl --kubeconfig /k port-forward service/kubia 8080:80"


def test_all_pods_answer_at_a_load_balancer(context: Context, kubia: App, serve: Serve) -> None:
    seen = FromHost(exposure(kubia, "loadbalancer", serve(pods_in_turn("a", "b")))).look(context)
    assert (seen.ok, seen.evidence) == (True, "2 of 2 pods answered 2 requests")


def test_a_pod_that_gets_no_traffic_is_found(context: Context, kubia: App, serve: Serve) -> None:
    seen = FromHost(exposure(kubia, "loadbalancer", serve(pods_in_turn("a")))).look(context)
    assert not seen.ok
    assert seen.evidence.startswith("1 of 2 pods answered")


def test_an_address_that_refuses(context: Context, kubia: App) -> None:
    seen = FromHost(exposure(kubia, "loadbalancer", 1)).look(context)
    assert not seen.ok
    assert "refused" in seen.evidence


def test_an_exposure_without_an_address(context: Context, kubia: App) -> None:
    seen = FromHost(exposure(kubia, "loadbalancer", 80, address="")).look(context)
    assert (seen.ok, seen.evidence) == (False, "has no address")


def test_affinity_that_sticks(context: Context, kubia: App, serve: Serve) -> None:
    sticky = dataclasses.replace(kubia, sticky=True)
    seen = FromHost(exposure(sticky, "nodeport", serve(pods_in_turn("a")))).look(context)
    assert (seen.ok, seen.evidence) == (True, "20 requests stuck to a")


def test_affinity_that_does_not_stick_is_final(context: Context, kubia: App, serve: Serve) -> None:
    sticky = dataclasses.replace(kubia, sticky=True)
    seen = FromHost(exposure(sticky, "nodeport", serve(pods_in_turn("a", "b")))).look(context)
    assert (seen.ok, seen.final) == (False, True)
    assert seen.evidence == "ClientIP affinity does not stick: a 10, b 10"


def test_ingress_asks_with_its_host_name(context: Context, kubia: App, serve: Serve) -> None:
    turn = pods_in_turn("a", "b")
    port = serve(lambda headers: turn(headers) if headers["Host"] == "kubia.example.com" else (404, "not here"))
    record = exposure(kubia, "ingress", port, url="http://kubia.example.com/", host="kubia.example.com")
    assert FromHost(record).look(context).ok
    wrong = FromHost(dataclasses.replace(record, host="other.example.com")).look(context)
    assert not wrong.ok
    assert "HTTP 404" in wrong.evidence


@pytest.mark.parametrize(("status", "ok"), [(200, True), (302, True), (404, True), (500, False), (503, False)])
def test_a_foreign_image_only_has_to_answer(context: Context, kubia: App, serve: Serve, status: int, ok: bool) -> None:
    foreign = dataclasses.replace(kubia, echo=False)
    record = exposure(foreign, "loadbalancer", serve(lambda _: (status, "<html>")))
    assert FromHost(record).look(context).ok is ok


def test_an_answer_that_is_not_the_echo_apps(context: Context, kubia: App, serve: Serve) -> None:
    seen = FromHost(exposure(kubia, "loadbalancer", serve(lambda _: (200, "<html>")))).look(context)
    assert not seen.ok
    assert "not stacklab/echo's" in seen.evidence


def test_a_nodeport_is_asked_on_every_machine(kubia: App) -> None:
    record = exposure(kubia, "nodeport", 30080, url="http://10.200.1.11:30080/")
    found = at_each_machine(record, [Machine("one", "master", "10.1.1.1"), Machine("two", "worker", "10.1.1.2")])
    assert [(f.name, f.exposure.target) for f in found] == [
        ("kubia/nodeport@one", "http://10.1.1.1:30080/"),
        ("kubia/nodeport@two", "http://10.1.1.2:30080/"),
    ]


def test_a_daemonset_answers_from_every_node(context: Context, kubectl: FakeKubectl, kubia: App, serve: Serve) -> None:
    kubectl.on("get daemonset kubia", stdout={"status": {"desiredNumberScheduled": 3}})
    agent = dataclasses.replace(kubia, workload="daemonset", replicas=None)
    assert FromHost(exposure(agent, "nodeport", serve(pods_in_turn("a", "b", "c")))).look(context).ok
    assert not FromHost(exposure(agent, "nodeport", serve(pods_in_turn("a", "b")))).look(context).ok


@pytest.mark.parametrize(
    ("pods", "sticky", "ok"),
    [(["a", "b"], False, True), (["a", "a"], False, False), (["a", "a"], True, True), (["a", "b"], True, False)],
)
def test_clusterip_from_inside(
    context: Context, kubectl: FakeKubectl, kubia: App, pods: list[str], sticky: bool, ok: bool
) -> None:
    kubectl.on("exec", "echo get", "http://kubia.default.svc:80/", stdout="".join(line(pod=p) for p in pods))
    app = dataclasses.replace(kubia, sticky=sticky)
    assert InCluster(exposure(app, "clusterip", 80, command=FORWARD)).look(context).ok is ok
    count = 20 if sticky else enough_requests(2)
    assert any(f"--count={count} " in call for call in kubectl.calls)


def test_clusterip_that_does_not_answer_inside(context: Context, kubectl: FakeKubectl, kubia: App) -> None:
    kubectl.on("exec", "echo get", stdout=line(status=0, error="connection refused"), code=1)
    seen = InCluster(exposure(kubia, "clusterip", 80, command=FORWARD)).look(context)
    assert not seen.ok
    assert "connection refused" in seen.evidence


def test_the_printed_port_forward(context: Context, kubectl: FakeKubectl, kubia: App, serve: Serve) -> None:
    port = serve(lambda _: (200, json.dumps({"pod": "a"})))
    kubectl.on("port-forward service/kubia :80", stdout=f"Forwarding from 127.0.0.1:{port} -> 8080\n", wait=True)
    started = time.monotonic()
    seen = PortForward(exposure(kubia, "clusterip", 80, command=FORWARD)).look(context)
    assert seen.ok, seen.evidence
    assert time.monotonic() - started < 10  # it was ended, not waited for
    assert kubectl.calls[-1] == "--kubeconfig /k port-forward service/kubia :80"


def test_a_port_forward_that_fails(context: Context, kubectl: FakeKubectl, kubia: App) -> None:
    kubectl.on("port-forward", stderr='error: services "kubia" not found\n', code=1)
    seen = PortForward(exposure(kubia, "clusterip", 80, command=FORWARD)).look(context)
    assert not seen.ok
    assert 'services "kubia" not found' in seen.evidence


def test_a_port_forward_to_an_app_that_fails(context: Context, kubectl: FakeKubectl, kubia: App, serve: Serve) -> None:
    port = serve(lambda _: (500, "oops"))
    kubectl.on("port-forward", stdout=f"Forwarding from 127.0.0.1:{port} -> 8080\n", wait=True)
    assert not PortForward(exposure(kubia, "clusterip", 80, command=FORWARD)).look(context).ok


def test_which_checks_a_lab_is_asked(context: Context, kubia: App) -> None:
    job = App("once", "job", 1, sticky=False, echo=False, volume=False)
    none = dataclasses.replace(kubia, name="none", replicas=0)
    db = dataclasses.replace(kubia, name="db", workload="statefulset", volume=True)
    lab = dataclasses.replace(
        context.lab,
        apps=(kubia, job, none, db),
        exposures=tuple(
            [
                exposure(kubia, kind, 80, command=FORWARD)
                for kind in ("clusterip", "nodeport", "loadbalancer", "ingress")
            ]
            + [exposure(none, "loadbalancer", 80)]
        ),
    )
    assert [check.name for check in checks.of(lab)] == shlex.split(
        "nodes probes dns pod-to-pod network-policy metrics"
        " kubia/deployment once/job none/deployment db/statefulset db/volume"
        " kubia/clusterip kubia/port-forward"
        " kubia/nodeport@m-control-plane kubia/nodeport@m-worker kubia/nodeport@m-worker2"
        " kubia/loadbalancer kubia/ingress"
    )
    bare = dataclasses.replace(context.lab, apps=(), provides=frozenset())
    assert [check.name for check in checks.of(bare)] == ["nodes", "probes", "dns", "pod-to-pod"]
