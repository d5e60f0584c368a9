"""Each input of the cluster: what a change of it takes, and the reason that people read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc

from modules.resources import kind_cluster
from modules.resources.kind_cluster import KindClusterProvider
from modules.topology.plan import LabPlan, Machine, Network
from tests.resources.props import cluster

provider = KindClusterProvider()
WORKER = "stacklab-dev-worker"


@pytest.fixture(autouse=True)
def _nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind_cluster, "states_now", lambda props: dict(props["states"]))


def outputs(**changed: Any) -> dict[str, Any]:
    states = {"stacklab-dev-control-plane": "running", WORKER: "running"}
    return {**cluster(), "kubeconfig": "k", "endpoint": "e", "states": states, "owner": "me", **changed}


def unknown() -> Any:
    """What a provider gets in a preview for an output of a resource that is made anew."""
    packed = Struct()
    packed.update({"network": rpc.UNKNOWN})
    return rpc.deserialize_properties(packed, keep_unknowns=True)["network"]


def with_worker(**changed: Any) -> dict[str, Any]:
    news = cluster()
    news["machines"][1] |= changed
    return news


def state(value: str) -> dict[str, Any]:
    return outputs(states={"stacklab-dev-control-plane": "running", WORKER: value})


@pytest.mark.parametrize(
    ("olds", "news", "replaces", "reason"),
    [
        (outputs(), cluster(), None, ""),
        (outputs(), cluster(__provider="another"), None, ""),
        (outputs(), with_worker(labels=None, taints=None), None, ""),
        (outputs(), cluster(kubernetes="1.36.4"), ["kubernetes"], "Kubernetes 1.36.3 -> 1.36.4"),
        (outputs(), cluster(image="other"), ["image"], "node image"),
        (outputs(), cluster(pods="10.1.0.0/16"), ["pods"], "pods' range 10.244.0.0/16 -> 10.1.0.0/16"),
        (outputs(), cluster(services="10.1.0.0/16"), ["services"], "services' range"),
        (outputs(), cluster(proxy="nftables"), ["proxy"], "kube-proxy mode iptables -> nftables"),
        (outputs(), cluster(network=unknown()), ["network"], "network stacklab-dev -> (not known yet)"),
        (
            outputs(),
            cluster(registries={"docker.io": "a"}),
            ["registries"],
            "mirrors of registries none -> {'docker.io'",
        ),
        (outputs(registries={"docker.io": "a"}), cluster(), ["registries"], "'a'} -> none"),
        (outputs(), cluster(engine="docker"), ["engine"], "container engine podman -> docker"),
        (outputs(), cluster(name="stacklab-b"), ["name"], "name stacklab-dev -> stacklab-b"),
        (outputs(), cluster(balancer="10.201.7.9"), ["balancer"], "none -> 10.201.7.9"),
        (outputs(), cluster(workers=2), ["machines"], f"machine {WORKER}2 is new"),
        (outputs(), cluster(workers=0), ["machines"], f"machine {WORKER} goes"),
        (
            outputs(),
            with_worker(address="10.201.7.29"),
            ["machines"],
            f"address of {WORKER} 10.201.7.21 -> 10.201.7.29",
        ),
        (outputs(), with_worker(role="master"), ["machines"], "role of"),
        (outputs(), with_worker(labels={"a": "1"}), [], f"labels of {WORKER} none -> a=1"),
        (outputs(), with_worker(taints=["a=1:NoSchedule"]), [], f"taints of {WORKER} none -> a=1:NoSchedule"),
        (state("exited"), cluster(), [], f"machine {WORKER} is exited"),
        (state("paused"), cluster(), [], f"machine {WORKER} is paused"),
        (state("missing"), cluster(), ["states"], f"machine {WORKER} is missing"),
        (state("running at 10.9.9.9"), cluster(), ["states"], f"machine {WORKER} is running at 10.9.9.9"),
    ],
)
def test_diff(
    olds: dict[str, Any],
    news: dict[str, Any],
    replaces: list[str] | None,
    reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = provider.diff("id", olds, news)
    assert result.changes is (replaces is not None)
    assert result.replaces == [], "a new cluster is made by an update"
    said = capsys.readouterr().err
    assert reason in said
    assert bool(said) == (replaces is not None)
    if replaces is not None:
        assert said.startswith(
            f"cluster stacklab-dev {'must be made anew' if replaces else 'can be changed in place'}: "
        )


def test_every_input_has_its_place_in_the_diff() -> None:
    assert set(kind_cluster.INPUTS) == set(cluster()) - {"__provider"}


def test_inputs_come_from_the_plan() -> None:
    machine = Machine(WORKER, "worker", "10.201.7.21", 2, 2**31, 2**34, {"a": "1"}, ("t=1:NoSchedule",))
    net = Network(
        *("stacklab-dev", "10.201.7.0/24", "10.201.7.1", "10.244.0.0/16", "10.96.0.0/12"),
        loadbalancers=("10.201.7.200", "10.201.7.250"),
        proxy="iptables",
        endpoint=None,
    )
    plan = LabPlan("dev", "stacklab-dev", "kind", "1.36.3", (machine,), net, {}, (), "auto", ())
    inputs = kind_cluster.inputs_of(plan, "image")
    assert set(inputs) == set(kind_cluster.INPUTS) - {"network", "engine"}
    assert kind_cluster.spec_of(inputs).nodes[0].taints == ("t=1:NoSchedule",)
    assert inputs["balancer"] == ""
    several = replace(plan, network=replace(net, endpoint="10.201.7.10"))
    assert kind_cluster.inputs_of(several, "image")["balancer"] == "10.201.7.10"
