"""The network resource against an engine that keeps its state in a file."""

from __future__ import annotations

from typing import Any

import pytest

from modules.base.errors import OwnershipError, StacklabError
from modules.host import network
from modules.host.network import Route
from modules.resources.container_network import ContainerNetworkProvider
from tests.resources.conftest import Host
from tests.resources.props import NETWORK, on_both

provider = ContainerNetworkProvider()


def other_checkout(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKLAB_PROJECT", str(host.project.with_name("other")))


@on_both
def test_create_makes_it_with_fixed_ranges_and_marks(host: Host) -> None:
    made = provider.create(NETWORK)
    assert made.id == "lab/dev/network"
    assert host.state["networks"]["stacklab-dev"] == {
        "subnet": "10.201.7.0/24",
        "gateway": "10.201.7.1",
        "labels": {
            "stacklab.owner": (host.project / ".stacklab" / "owner").read_text().strip(),
            "stacklab.stack": "dev",
            "stacklab.checkout": str(host.project),
        },
    }
    assert made.outs
    assert (made.outs["name"], made.outs["engine"]) == ("stacklab-dev", host.engine.name)


def test_create_again_adopts_its_own(host: Host) -> None:
    first, second = provider.create(NETWORK), provider.create(NETWORK)
    assert first.outs == second.outs
    assert len(host.calls("network", "create")) == 1


def test_create_replaces_its_own_leftover_of_other_ranges(host: Host) -> None:
    provider.create(NETWORK)
    provider.create({**NETWORK, "subnet": "10.202.1.0/24", "gateway": "10.202.1.1"})
    assert host.state["networks"]["stacklab-dev"]["subnet"] == "10.202.1.0/24"


@on_both
def test_a_strangers_network_stays_as_it_is(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.engine.run("network", "create", "stacklab-dev", timeout=5)
    before = host.state["networks"]
    with pytest.raises(OwnershipError, match=r"stacklab-dev .*outside stacklab"):
        provider.create(NETWORK)
    assert [f.property for f in provider.check({}, NETWORK).failures] == ["name"]
    assert host.state["networks"] == before


def test_another_checkouts_network_is_a_strangers(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    made = provider.create(NETWORK)
    other_checkout(host, monkeypatch)
    with pytest.raises(OwnershipError, match=str(host.project)):
        provider.create(NETWORK)
    provider.delete(made.id, {**(made.outs or {}), "owner": "somebody else"})
    assert "stacklab-dev" in host.state["networks"]


@on_both
def test_read_sees_what_is_there(host: Host) -> None:
    made = provider.create(NETWORK)
    read = provider.read(made.id, dict(made.outs or {}))
    assert (read.id, read.outs) == (made.id, made.outs)
    assert read.inputs == {k: v for k, v in NETWORK.items() if k != "__provider"}


def test_read_of_a_gone_one_says_so(host: Host) -> None:
    made = provider.create(NETWORK)
    host.engine.run("network", "rm", "stacklab-dev", timeout=5)
    read = provider.read(made.id, dict(made.outs or {}))
    assert (read.id, read.outs) == ("", {})


def test_delete_twice(host: Host) -> None:
    made = provider.create(NETWORK)
    provider.delete(made.id, dict(made.outs or {}))
    assert host.state["networks"] == {}
    provider.delete(made.id, dict(made.outs or {}))


@on_both
def test_delete_takes_our_own_leftovers_on_it_along(host: Host) -> None:
    """An `up` killed while it made the cluster has the network in its state, the cluster not."""
    made = provider.create(NETWORK)
    outs = made.outs or {}
    marks = ["--label", f"stacklab.owner={outs['owner']}", "--label", "stacklab.stack=dev"]
    host.engine.run("run", "--name", "stacklab-dev-worker", "--net", "stacklab-dev", *marks, "image", timeout=5)
    host.engine.run("volume", "create", *marks, timeout=5)
    provider.delete(made.id, dict(outs))
    state = host.state
    assert (state["containers"], state["networks"], state["volumes"]) == ({}, {}, {})


def test_delete_leaves_a_strangers_container_and_says_which(host: Host) -> None:
    made = provider.create(NETWORK)
    host.engine.run("run", "--name", "guest", "--net", "stacklab-dev", "image", timeout=5)
    with pytest.raises(StacklabError, match="guest"):
        provider.delete(made.id, dict(made.outs or {}))
    assert "guest" in host.containers


def test_a_taken_range_fails_the_preview(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "routes", lambda: (Route("10.201.0.0/16", "eth0"),))
    failures = provider.check({}, NETWORK).failures
    assert [f.property for f in failures] == ["subnet"]
    assert "10.201.0.0/16" in failures[0].reason


@on_both
def test_its_own_range_is_not_taken(host: Host) -> None:
    provider.create(NETWORK)
    assert provider.check({}, NETWORK).failures == []


def test_an_unchanged_network_asks_the_host_nothing(host: Host) -> None:
    made = provider.create(NETWORK)
    before = len(host.calls())
    assert provider.check(dict(made.outs or {}), NETWORK).failures == []
    assert len(host.calls()) == before


@pytest.mark.parametrize(
    ("changed", "replaces"),
    [
        ({}, []),
        ({"subnet": "10.202.1.0/24"}, ["subnet"]),
        ({"subnet": "10.202.1.0/24", "gateway": "10.202.1.1"}, ["subnet", "gateway"]),
        ({"__provider": "another"}, []),
    ],
)
def test_diff(changed: dict[str, Any], replaces: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    olds = {**NETWORK, "engine": "podman", "owner": "me"}
    result = provider.diff("id", olds, {**NETWORK, **changed})
    assert (result.changes, result.replaces, result.delete_before_replace) == (bool(replaces), replaces, True)
    assert ("10.202.1.0/24" in capsys.readouterr().err) == bool(replaces)
