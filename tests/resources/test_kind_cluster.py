"""The cluster resource against stand-ins for kind and the engine: create twice, read gone, delete twice, strangers."""

from __future__ import annotations

import fcntl
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from modules.base.errors import ArtifactError, CommandError, OwnershipError, StacklabError
from modules.host import facts, network
from modules.host.network import Route
from modules.local.kind import capacity
from modules.resources.container_network import ContainerNetworkProvider
from modules.resources.kind_cluster import KindClusterProvider
from tests.resources.conftest import Host
from tests.resources.props import NETWORK, cluster, on_both

provider = KindClusterProvider()
MASTER, WORKER = "stacklab-dev-control-plane", "stacklab-dev-worker"


@pytest.fixture(autouse=True)
def _network(host: Host) -> None:
    ContainerNetworkProvider().create(NETWORK)


def lab(host: Host) -> Path:
    return host.project / ".stacklab" / "labs" / "dev"


def create(host: Host, **changed: Any) -> dict[str, Any]:
    return dict(provider.create(cluster(engine=host.engine.name, **changed)).outs or {})


def kinds_run(host: Host) -> int:
    file = host.folder / "serial"
    return int(file.read_text()) if file.exists() else 0


@on_both
def test_create_makes_nodes_with_fixed_addresses_and_marks(host: Host) -> None:
    outs = create(host)
    found = host.containers
    assert {name: c["address"] for name, c in found.items()} == {MASTER: "10.201.7.11", WORKER: "10.201.7.21"}
    for container in found.values():
        assert container["network"] == "stacklab-dev"
        assert container["labels"]["stacklab.owner"] == outs["owner"]
        assert container["labels"]["stacklab.stack"] == "dev"
        assert f"{host.project.parent}/modules:/lib/modules:ro" in container["volumes"]
    assert sorted(host.state["volumes"]) == [f"{MASTER}-var", f"{WORKER}-var"]


def test_create_hands_out_whole_outputs(host: Host) -> None:
    outs = create(host)
    assert outs["nodes"] == [
        {"name": MASTER, "role": "master", "address": "10.201.7.11"},
        {"name": WORKER, "role": "worker", "address": "10.201.7.21"},
    ]
    assert outs["states"] == {MASTER: "running", WORKER: "running"}
    assert outs["endpoint"] == (host.folder / "api").read_text()
    assert "S3CRET" in outs["kubeconfig"]
    file = lab(host) / "kubeconfig"
    assert outs["kubeconfig_file"] == str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {k: outs[k] for k in cluster() if k not in ("__provider", "engine")} == {
        k: v for k, v in cluster().items() if k not in ("__provider", "engine")
    }


def test_several_masters_have_a_load_balancer_with_the_plans_address(host: Host) -> None:
    outs = create(host, masters=3)
    balancer = "stacklab-dev-external-load-balancer"
    assert host.containers[balancer]["address"] == "10.201.7.10"
    assert outs["states"][balancer] == "running"
    assert balancer not in [node["name"] for node in outs["nodes"]]


def test_create_again_adopts_the_whole_cluster(host: Host) -> None:
    """The run that made it was killed before Pulumi wrote its state."""
    first, second = create(host), create(host)
    assert first == second
    assert kinds_run(host) == 1


def test_create_starts_what_it_adopts(host: Host) -> None:
    create(host)
    host.engine.run("stop", WORKER, timeout=5)
    create(host)
    assert host.containers[WORKER]["state"] == "running"
    assert kinds_run(host) == 1


@pytest.mark.parametrize("loss", ["a node", "the kubeconfig", "another configuration"])
def test_create_makes_a_half_made_cluster_anew(host: Host, loss: str) -> None:
    first = create(host)
    if loss == "a node":
        host.engine.run("rm", "--force", WORKER, timeout=5)
    elif loss == "the kubeconfig":
        (lab(host) / "kubeconfig").unlink()
    second = create(host, **({"pods": "10.100.0.0/16"} if loss == "another configuration" else {}))
    assert kinds_run(host) == 2
    assert first["generation"] != second["generation"]
    assert sorted(host.containers) == [MASTER, WORKER]


def test_create_waits_for_a_kind_that_outlived_its_run(host: Host) -> None:
    lock = host.project / ".stacklab" / "locks" / "dev.lock"
    lock.parent.mkdir(parents=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = threading.Thread(target=create, args=(host,))
        done.start()
        time.sleep(0.5)
        assert not host.calls("ps"), "what another kind is still making is not looked at"
    done.join(timeout=30)
    assert kinds_run(host) == 1


@pytest.mark.parametrize("label", [["--label", "io.x-k8s.kind.cluster=stacklab-dev"], []])
def test_a_strangers_container_stays_as_it_is(host: Host, label: list[str]) -> None:
    host.engine.run("run", "--name", WORKER, "--net", "stacklab-dev", *label, "image", timeout=5)
    before = host.containers
    with pytest.raises(OwnershipError, match=r"stacklab-dev-worker is there already and was made .*outside stacklab"):
        create(host)
    failures = provider.check({}, cluster()).failures
    assert [f.property for f in failures] == ["name"]
    assert host.containers == before


def test_another_checkouts_cluster_is_a_strangers(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    outs = create(host)
    monkeypatch.setenv("STACKLAB_PROJECT", str(host.project.with_name("other")))
    with pytest.raises(OwnershipError, match=str(host.project)):
        create(host)
    provider.delete("id", {**outs, "owner": "another"})
    assert sorted(host.containers) == [MASTER, WORKER]


def test_a_failure_keeps_evidence_and_leaves_nothing_else(host: Host) -> None:
    host.kind_breaks_after(1)
    with pytest.raises(CommandError, match="kind could not make the cluster") as caught:
        create(host)
    text = str(caught.value)
    assert "failed to init node with kubeadm" in text
    assert "KIND_EXPERIMENTAL_PROVIDER" in text, "the command line can be pasted"
    assert f"{lab(host)}/logs/kind.txt" in text
    assert (lab(host) / "logs" / f"{MASTER}.txt").exists()
    assert (host.containers, host.state["volumes"]) == ({}, {})
    assert not (lab(host) / "kubeconfig").exists()
    host.kind_breaks_after(None)
    create(host)


def test_artifacts_that_changed_after_the_plan_are_not_mixed_in(host: Host) -> None:
    with pytest.raises(ArtifactError, match="was planned"):
        create(host, image="localhost/stacklab/node:v1.36.3-another")
    assert not host.calls("run")


def test_without_its_network_kind_is_not_even_started(host: Host) -> None:
    host.engine.run("network", "rm", "stacklab-dev", timeout=5)
    with pytest.raises(StacklabError, match="network stacklab-dev is gone"):
        create(host)
    assert not host.calls("run")


def test_read_of_a_healthy_cluster_changes_nothing(host: Host) -> None:
    outs = create(host)
    read = provider.read("id", {**outs, "__provider": "pickled"})
    assert (read.id, read.outs) == ("id", outs)
    assert provider.diff("id", outs, cluster(engine=host.engine.name)).changes is False


def test_read_of_a_gone_one_says_so(host: Host) -> None:
    outs = create(host)
    host.engine.run("rm", "--force", MASTER, WORKER, timeout=5)
    read = provider.read("id", outs)
    assert (read.id, read.outs) == ("", {})


@on_both
def test_a_missing_machine_takes_a_new_cluster(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    outs = create(host)
    host.engine.run("rm", "--force", WORKER, timeout=5)
    read = provider.read("id", outs)
    assert read.outs
    assert read.outs["states"] == {MASTER: "running", WORKER: "missing"}
    news = cluster(engine=host.engine.name)
    result = provider.diff("id", read.outs, news)
    assert (result.changes, result.replaces) == (True, [])
    assert f"must be made anew: machine {WORKER} is missing" in capsys.readouterr().err
    made = provider.update("id", read.outs, news).outs
    assert made
    assert made["states"] == {MASTER: "running", WORKER: "running"}
    assert made["generation"] != outs["generation"]


def test_a_stopped_machine_is_started_again(host: Host) -> None:
    outs = create(host)
    host.engine.run("stop", WORKER, timeout=5)
    read = provider.read("id", outs)
    assert read.outs
    news = cluster(engine=host.engine.name)
    result = provider.diff("id", read.outs, news)
    assert (result.changes, result.replaces) == (True, [])
    assert provider.update("id", read.outs, news).outs == outs


def test_an_update_writes_a_lost_kubeconfig_again(host: Host) -> None:
    outs = create(host)
    (lab(host) / "kubeconfig").unlink()
    provider.update("id", outs, cluster(engine=host.engine.name))
    assert (lab(host) / "kubeconfig").read_text() == outs["kubeconfig"]


def test_labels_and_taints_are_set_in_place(host: Host) -> None:
    outs = create(host)
    news = cluster(engine=host.engine.name)
    news["machines"][1] |= {"labels": {"disk": "fast"}, "taints": ["gpu=yes:NoSchedule"]}
    assert provider.diff("id", outs, news).replaces == []
    updated = provider.update("id", outs, news).outs
    assert updated
    assert updated["machines"] == news["machines"]
    said = [call[-5:] for call in host.calls("exec") if "--overwrite" in call]
    assert said == [
        ["label", "node", WORKER, "--overwrite", "disk=fast"],
        ["taint", "node", WORKER, "--overwrite", "gpu=yes:NoSchedule"],
    ]


@on_both
def test_delete_twice(host: Host) -> None:
    outs = create(host)
    provider.delete("id", outs)
    state = host.state
    assert (state["containers"], state["volumes"]) == ({}, {})
    assert list(state["networks"]) == ["stacklab-dev"], "the network is a resource of its own"
    assert not lab(host).exists()
    provider.delete("id", outs)


def test_delete_leaves_files_of_others_in_the_labs_folder(host: Host) -> None:
    outs = create(host)
    (lab(host) / "fingerprint.json").write_text("{}")
    provider.delete("id", outs)
    assert [f.name for f in lab(host).iterdir()] == ["fingerprint.json"]


def test_ranges_that_the_host_has_fail_the_preview(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "routes", lambda: (Route("10.96.4.0/24", "tun0"), Route("10.244.0.0/14", "eth0")))
    failures = provider.check({}, cluster()).failures
    assert [f.property for f in failures] == ["pods", "services"]
    assert "tun0" in failures[1].reason


def test_ipvs_is_refused_where_the_kernel_cannot(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    real = facts.read()
    object.__setattr__(real, "features", frozenset())
    monkeypatch.setattr(facts, "read", lambda: real)
    assert [f.property for f in provider.check({}, cluster(proxy="ipvs")).failures] == ["proxy"]
    assert provider.check({}, cluster(proxy="nftables")).failures == []


def test_too_few_inotify_instances_fail_the_preview(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "inotify_used", lambda: 10**9)
    assert [f.property for f in provider.check({}, cluster()).failures] == ["machines"]
    create(host)
    assert provider.check({}, cluster()).failures == [], "the machines that are there have theirs"


def test_an_unchanged_cluster_asks_the_host_nothing(host: Host) -> None:
    outs = create(host)
    before = len(host.calls())
    assert provider.check(outs, cluster(engine=host.engine.name)).failures == []
    assert len(host.calls()) == before
