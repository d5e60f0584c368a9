"""Machines that were started report again: by leases that change, whatever their clocks say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modules.base.errors import ProbeTimeoutError
from modules.leases import heartbeat
from tests.unit.leases.kubectl import stand_in

OLD, NEW = "2026-11-22T12:00:00.000000Z", "2026-11-22T11:00:00.000000Z"


def leases(**nodes: str | None) -> str:
    return json.dumps({"items": [{"metadata": {"name": n}, "spec": {"renewTime": t}} for n, t in nodes.items()]})


def test_every_lease_has_to_change_and_a_clock_may_go_backwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = stand_in(
        tmp_path,
        monkeypatch,
        "",
        leases(m1=OLD, w1=OLD, stranger=OLD),
        leases(m1=NEW, w1=OLD, stranger=OLD),
        leases(m1=NEW, w1=NEW, stranger=OLD),
    )
    heartbeat.wait(Path("kubeconfig"), ["m1", "w1", "no-node"], timeout=20, where="stack dev")
    assert len(said()) == 4


def test_who_is_silent_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, leases(m1=OLD, w1=OLD, w2=None), leases(m1=NEW, w1=OLD, w2=None))
    with pytest.raises(ProbeTimeoutError) as caught:
        heartbeat.wait(Path("kubeconfig"), ["m1", "w1", "w2"], timeout=2, where="stack dev")
    assert "silent so far: w1, w2" in str(caught.value.output)
    assert caught.value.where == "stack dev"


def test_a_node_that_leaves_meanwhile_is_not_waited_for() -> None:
    assert heartbeat.silent({"m1": OLD, "w1": OLD}, {"m1": OLD}) == ["m1"]
