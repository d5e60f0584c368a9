"""Does a lab fit this host: each problem names the key of the stack file that mends it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from modules.base.errors import HostError
from modules.host import facts, fit, network
from modules.host.engine import Engine
from modules.host.network import Conflict
from modules.topology.plan import LabPlan, Network
from tests.unit.host.hosts import CI, LAPTOP

NET = Network(
    name="stacklab-dev",
    machines="10.200.7.0/24",
    gateway="10.200.7.1",
    pods="10.244.0.0/16",
    services="10.96.0.0/12",
    loadbalancers=("10.200.7.200", "10.200.7.250"),
    proxy="iptables",
    endpoint=None,
)
PLAN = LabPlan("dev", "stacklab-dev", "kind", "1.36.3", (), NET, {}, (), "auto", ())
IPVS = replace(PLAN, network=replace(NET, proxy="ipvs"))
TAKEN = Conflict("10.200.7.0/24", "10.200.0.0/16", "route of device tun0")


def test_a_lab_that_fits() -> None:
    assert fit.problems(PLAN, CI, ()) == ()
    assert fit.problems(IPVS, LAPTOP, ()) == ()


def test_every_problem_is_told() -> None:
    assert fit.problems(IPVS, CI, [TAKEN]) == (
        "range 10.200.7.0/24 overlaps with 10.200.0.0/16, route of device tun0; set network.machines to a free range",
        "this kernel has no ip_vs: set network.proxy to iptables instead of ipvs",
    )


def test_a_lab_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def conflicts(wanted: str, **words: object) -> tuple[Conflict, ...]:
        asked.update(words, wanted=wanted)
        return (TAKEN,)

    monkeypatch.setattr(network, "conflicts", conflicts)
    monkeypatch.setattr(facts, "read", lambda: CI)
    with pytest.raises(HostError, match="2 things keep this lab") as caught:
        fit.require(IPVS, Engine("podman", "/usr/bin/podman"))
    assert "overlaps" in caught.value.output
    assert "ip_vs" in caught.value.output
    assert asked["own"] == "stacklab-dev"
