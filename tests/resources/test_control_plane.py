"""The cluster on machines of its own: what can be changed in place, what is refused, in which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import rpc

from modules.resources import control_plane, nodes
from modules.resources.control_plane import ControlPlaneProvider
from tests.resources.bare import lab, machine, unknown

provider = ControlPlaneProvider()


def props(**changed: Any) -> dict[str, Any]:
    masters = changed.pop("masters", ["m1", "m2", "m3"])
    return {
        **lab(),
        "masters": [machine(name) for name in masters],
        "generations": {name: f"id-{name}" for name in masters},
        "facts": {},
        "etcd_machines": [],
        "alone": False,
        **changed,
    }


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"pods": "10.1.0.0/16"}, "pods", "the pods' range cannot be changed in place (10.244.0.0/16 -> 10.1.0.0/16)"),
        ({"services": "10.1.0.0/16"}, "services", "the services' range cannot be changed in place"),
        (
            {"vip": "10.0.0.10"},
            "vip",
            "the address in front of the masters cannot be changed in place (none -> 10.0.0.10)",
        ),
        ({"proxy": "nftables"}, "proxy", "Put network.proxy back"),
        ({"etcd": ["10.0.0.21"]}, "etcd", "where etcd runs cannot be changed in place (none -> 10.0.0.21)"),
        ({"name": "stacklab-other"}, "name", "the cluster's name cannot be changed"),
        ({"kubernetes": "1.35.4"}, "kubernetes", "cannot go back from 1.36.3 to 1.35.4"),
        ({"kubernetes": "1.38.0"}, "kubernetes", "more than one minor version"),
        ({"masters": ["m4"]}, "masters", "none of the masters m1, m2, m3 is left"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason_and_a_way_out(
    changed: dict[str, Any], field: str, words: str
) -> None:
    result = provider.check(props(), props(**changed))
    assert [failure.property for failure in result.failures] == [field]
    assert words in result.failures[0].reason
    assert "pulumi" in result.failures[0].reason or "one at a time" in result.failures[0].reason


@pytest.mark.parametrize("changed", [{}, {"kubernetes": "1.37.0"}, {"masters": ["m1"]}, {"masters": ["m1", "m9"]}])
def test_what_can_be_is_not_refused(changed: dict[str, Any]) -> None:
    assert provider.check(props(), props(**changed)).failures == []
    assert provider.check({}, props(**changed)).failures == []


GONE = {"generations": {"m1": "a", "m2": "b", "m3": "c"}}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, ""),
        ({"kubernetes": "1.37.0"}, ""),  # each member says so itself
        ({"alone": True}, ""),
        ({"masters": ["m1", "m2"]}, "master m3 goes"),
        ({"masters": ["m1", "m2", "m3", "m4"]}, "master m4 comes"),
        ({"generations": {"m1": "new", "m2": "id-m2", "m3": "id-m3"}}, "master m1 is another machine"),
        (GONE, "must be made anew: no master is the machine that it was"),
        ({"generations": {"m1": unknown(), "m2": unknown(), "m3": unknown()}}, ""),
        ({"generations": unknown()}, ""),
        ({"repository": "registry.example.com"}, "kubeadm's images come from elsewhere"),
    ],
)
def test_diff(changed: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = provider.diff("id", {**props(), "kubeconfig": "k", "owner": "me"}, props(**changed))
    said = capsys.readouterr().err
    assert result.changes is bool(words)
    assert words in said
    assert result.replaces == [], "a new cluster is begun by an update"


def test_a_machine_that_is_reached_in_another_way_is_told_of() -> None:
    news = props()
    news["masters"][0]["login"]["port"] = 2222
    assert [c.reason for c in control_plane.changes(props(), news)] == ["the masters are reached in another way"]


def test_every_input_is_one_that_a_plan_gives() -> None:
    assert set(control_plane.INPUTS) == set(props())
    assert set(nodes.LAB) == set(lab())


def test_the_kubeconfig_is_for_its_owner_only_and_goes_with_the_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))
    from modules.bootstrap.kubeadm.init import Made

    outs = control_plane._outs(props(), Made("secret text", "https://10.0.0.1:6443", "g1"), "me")
    file = Path(outs["kubeconfig_file"])
    assert file.read_text() == "secret text"
    assert file.stat().st_mode & 0o777 == 0o600
    assert set(outs) == {*control_plane.INPUTS, "kubeconfig", "kubeconfig_file", "endpoint", "generation", "owner"}
    provider.delete("id", outs)
    assert not file.exists()
    assert rpc.UNKNOWN  # the word that a preview has for what it does not know
