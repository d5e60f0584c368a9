"""Each input of a minikube cluster: what a change of it takes, and the reason that people read."""

from __future__ import annotations

from typing import Any

import pytest

from modules.local.minikube import settings
from modules.resources import minikube_cluster
from modules.resources.minikube_cluster import MinikubeClusterProvider
from modules.topology.plan import LabPlan, Machine, Network
from tests.resources.props import profile

provider = MinikubeClusterProvider()
MASTER, WORKER = "stacklab-dev", "stacklab-dev-m02"
NEWER = "localhost/stacklab/minikube:v1.36.3-ba9876543210"
FRONT = "stacklab-dev-external-load-balancer"


@pytest.fixture(autouse=True)
def _nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minikube_cluster, "states_now", lambda props: dict(props["states"]))


def outputs(**changed: Any) -> dict[str, Any]:
    states = {MASTER: "running", WORKER: "running"}
    return {**profile(), "kubeconfig": "k", "endpoint": "e", "states": states, "owner": "me", **changed}


def with_worker(**changed: Any) -> dict[str, Any]:
    news = profile()
    news["machines"][1] |= changed
    return news


def state(**changed: str) -> dict[str, Any]:
    return outputs(states={MASTER: "running", WORKER: "running", **changed})


def several(masters: int = 3, workers: int = 0, front: str = "running") -> dict[str, Any]:
    props = profile(masters, workers)
    states = {m["name"]: "running" for m in props["machines"]} | {FRONT: front}
    return {**outputs(states=states), **props}


@pytest.mark.parametrize(
    ("olds", "news", "anew", "reason"),
    [
        (outputs(), profile(), None, ""),
        (outputs(), profile(__provider="another"), None, ""),
        (outputs(), with_worker(labels=None, taints=None), None, ""),
        (outputs(), profile(kubernetes="1.36.4"), False, "Kubernetes 1.36.3 -> 1.36.4"),
        (outputs(), profile(kubernetes="1.37.0"), False, "can be changed in place"),
        (outputs(), profile(kubernetes="1.35.9"), True, "Kubernetes 1.36.3 -> 1.35.9, which is older"),
        (outputs(), profile(image=NEWER), False, "base image"),
        (outputs(), profile(image=settings.OFFICIAL), True, "with minikube's official image"),
        (
            outputs(image=settings.OFFICIAL),
            profile(image=settings.OFFICIAL, kubernetes="1.37.0"),
            True,
            "Kubernetes 1.36.3 -> 1.37.0, with minikube's official image",
        ),
        (outputs(), profile(pods="10.1.0.0/16"), True, "pods' range 10.244.0.0/16 -> 10.1.0.0/16"),
        (outputs(), profile(services="10.1.0.0/16"), True, "services' range"),
        (outputs(), profile(proxy="nftables"), True, "kube-proxy mode iptables -> nftables"),
        (outputs(), profile(mirrors={"country": "cn"}), True, "mirrors none -> {'country': 'cn'}"),
        (outputs(), profile(engine="docker"), True, "container engine podman -> docker"),
        (outputs(), profile(runtime="cri-o"), True, "container runtime containerd -> cri-o"),
        (outputs(), profile(name="stacklab-b"), True, "name stacklab-dev -> stacklab-b"),
        (outputs(), profile(workers=2), False, "machine stacklab-dev-m03 is new"),
        (outputs(), profile(workers=0), False, f"machine {WORKER} goes"),
        (outputs(), profile(masters=2), True, f"role of {WORKER} worker -> master"),
        (outputs(), profile(masters=3, workers=0), True, "machine stacklab-dev-m03 is new"),
        (several(), profile(masters=4, workers=0), False, "machine stacklab-dev-m04 is new"),
        (several(4), profile(masters=3, workers=0), False, "machine stacklab-dev-m04 goes"),
        (several(), profile(masters=1, workers=0), True, "machine stacklab-dev-m03 goes"),
        (several(workers=1), profile(masters=4, workers=1), True, "role of stacklab-dev-m04 worker -> master"),
        (several(front="missing"), profile(masters=3, workers=0), False, f"machine {FRONT} is missing"),
        (outputs(), with_worker(address="10.201.7.29"), True, f"address of {WORKER} 10.201.7.21 -> 10.201.7.29"),
        (outputs(), with_worker(memory=3.0), True, f"memory of {WORKER} 2147483648 -> 3"),
        (outputs(), with_worker(labels={"a": "1"}), False, f"labels of {WORKER} none -> a=1"),
        (outputs(), with_worker(taints=["a=1:NoSchedule"]), False, f"taints of {WORKER} none -> a=1:NoSchedule"),
        (state(**{WORKER: "exited"}), profile(), False, f"machine {WORKER} is exited"),
        (state(**{WORKER: "paused"}), profile(), False, f"machine {WORKER} is paused"),
        (state(**{WORKER: "missing"}), profile(), False, f"machine {WORKER} is missing"),
        (state(**{MASTER: "missing"}), profile(), True, f"machine {MASTER} is missing"),
        (state(**{WORKER: "running at 10.9.9.9"}), profile(), True, f"machine {WORKER} is running at 10.9.9.9"),
    ],
)
def test_diff(
    olds: dict[str, Any],
    news: dict[str, Any],
    anew: bool | None,
    reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """anew: None when there is nothing to do. Pulumi replaces nothing itself: `update` makes it anew."""
    result = provider.diff("id", olds, news)
    said = capsys.readouterr().err
    assert (result.changes, result.replaces) == (anew is not None, [])
    assert reason in said
    if anew is not None:
        assert ("must be made anew" in said) == anew


def test_the_inputs_of_a_plan_are_what_the_provider_reads() -> None:
    size = {"cpus": 2, "memory": 2 << 30, "disk": 20 << 30}
    plan = LabPlan(
        stack="dev",
        cluster="stacklab-dev",
        backend="minikube",
        kubernetes="1.36.3",
        machines=(
            Machine(MASTER, "master", "10.201.7.11", labels={}, taints=(), **size),
            Machine(WORKER, "worker", "10.201.7.21", labels={"a": "1"}, taints=("b=1:NoSchedule",), **size),
        ),
        network=Network(
            name="stacklab-dev",
            machines="10.201.7.0/24",
            gateway="10.201.7.1",
            pods="10.244.0.0/16",
            services="10.96.0.0/12",
            loadbalancers=("10.201.7.200", "10.201.7.250"),
            proxy="iptables",
            endpoint=None,
        ),
        addons={},
        apps=(),
        sources="auto",
        warnings=(),
    )
    props = minikube_cluster.inputs_of(plan, "image")
    assert set(props) | {"network", "engine"} == set(minikube_cluster.INPUTS)
    read = minikube_cluster.profile_of({**props, "network": "stacklab-dev", "engine": "podman"})
    assert (read.name, read.driver, read.runtime) == ("stacklab-dev", "podman", "containerd")
    assert [n.name for n in read.cluster.masters] == [MASTER]
    assert read.cluster.workers[0].taints == ("b=1:NoSchedule",)
    assert (read.sizes[WORKER].cpus, read.sizes[WORKER].memory) == (2, 2 << 30)
