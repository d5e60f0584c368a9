"""A lab whose machines are containers, stopped and started, paused and unpaused, against a stand-in for the engine."""

from __future__ import annotations

import pytest

from modules.base.errors import StacklabError
from modules.local.lifecycle import Containers
from modules.local.owner import owner_id
from modules.resources.container_network import ContainerNetworkProvider
from modules.resources.kind_cluster import KindClusterProvider
from tests.resources.conftest import Host
from tests.resources.props import NETWORK, cluster

MASTER, WORKER = "stacklab-dev-control-plane", "stacklab-dev-worker"


@pytest.fixture
def lab(host: Host) -> Containers:
    ContainerNetworkProvider().create(NETWORK)
    KindClusterProvider().create(cluster())
    return Containers("dev", host.engine, owner_id())


def test_stopped_started_paused_unpaused_each_as_often_as_one_likes(lab: Containers) -> None:
    for verb, state in (("stop", "exited"), ("start", "running"), ("pause", "paused"), ("unpause", "running")):
        for _ in range(2):
            getattr(lab, verb)()
            assert lab.states() == {MASTER: state, WORKER: state}, verb


def test_a_paused_lab_can_be_stopped(lab: Containers) -> None:
    lab.pause()
    lab.stop()
    assert set(lab.states().values()) == {"exited"}


def test_masters_are_started_first(host: Host, lab: Containers) -> None:
    lab.stop()
    lab.start()
    assert host.calls("start")[-1] == ["start", MASTER, WORKER]


@pytest.mark.parametrize(("asleep", "rested"), [([MASTER, WORKER], True), ([MASTER], False), ([WORKER], False)])
def test_former_leaders_are_gone_only_where_every_machine_was_at_rest(
    host: Host, lab: Containers, asleep: list[str], *, rested: bool
) -> None:
    host.engine.run("stop", "--time", "1", *asleep, timeout=5)
    lab.start()
    assert host.rested == [rested]


def test_who_leads_a_paused_lab_goes_on(host: Host, lab: Containers) -> None:
    lab.pause()
    lab.start()
    assert host.rested == [False]


def test_a_strangers_container_is_left_alone(host: Host, lab: Containers) -> None:
    mark = ["--label", "stacklab.stack=dev", "--label", "stacklab.owner=another"]
    host.engine.run("run", "--name", "theirs", *mark, "image", timeout=5)
    lab.stop()
    assert host.containers["theirs"]["state"] == "running"
    assert "theirs" not in lab.states()


def test_a_lab_that_is_not_there_is_an_error(host: Host) -> None:
    with pytest.raises(StacklabError, match="no machines of this lab are here"):
        Containers("dev", host.engine, "me").stop()


def test_without_its_kubeconfig_a_start_says_what_to_do(host: Host, lab: Containers) -> None:
    lab.stop()
    (host.project / ".stacklab" / "labs" / "dev" / "kubeconfig").unlink()
    with pytest.raises(StacklabError, match="kubeconfig is gone") as gone:
        lab.start()
    assert gone.value.hint == "pulumi up"


def test_the_diff_of_a_cluster_sees_what_was_stopped_since(
    host: Host, lab: Containers, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = KindClusterProvider()
    outs = dict(provider.create(cluster()).outs or {})
    assert not provider.diff("id", outs, cluster()).changes
    lab.stop()
    assert provider.diff("id", outs, cluster()).changes
    assert f"machine {WORKER} is exited" in capsys.readouterr().err
    provider.update("id", outs, cluster())
    assert host.rested == [True]
    assert set(lab.states().values()) == {"running"}
