"""Leases that a former leader left held are released; one that lives keeps its own."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from modules import artifacts
from modules.base.errors import StacklabError
from modules.leases import leaders
from tests.unit.leases.kubectl import stand_in

REST = datetime(2026, 11, 22, 12, tzinfo=UTC)
OLD, NEW = "2026-11-22T11:59:59.999999Z", "2026-11-22T12:00:00.000000Z"
MANAGER, SCHEDULER = "kube-controller-manager", "kube-scheduler"


def lease(name: str, renewed: str | None, holder: str | None = "m1_1") -> dict[str, Any]:
    spec = {"holderIdentity": holder, "renewTime": renewed}
    return {"metadata": {"name": name, "resourceVersion": f"7{len(name)}"}, "spec": spec}


def shown(*found: dict[str, Any]) -> str:
    return json.dumps({"items": found})


@pytest.mark.parametrize(
    ("found", "due"),
    [
        ([lease(MANAGER, OLD), lease(SCHEDULER, NEW)], [MANAGER]),
        ([lease(MANAGER, OLD), lease(SCHEDULER, OLD)], [MANAGER, SCHEDULER]),
        ([lease(MANAGER, OLD, None), lease(SCHEDULER, OLD, "")], []),
        ([lease(MANAGER, None)], []),
        ([lease("apiserver-m1", OLD), lease("somebody-elses", OLD)], []),
        ([], []),
    ],
)
def test_a_lease_is_left_held_when_it_is_as_old_as_the_rest(found: list[dict[str, Any]], due: list[str]) -> None:
    assert leaders.left_held(shown(*found), REST) == {name: f"7{len(name)}" for name in due}


def test_only_the_lease_that_was_seen_loses_its_holder() -> None:
    assert json.loads(leaders.patch("42")) == [
        {"op": "test", "path": "/metadata/resourceVersion", "value": "42"},
        {"op": "remove", "path": "/spec/holderIdentity"},
    ]


def test_a_question_that_failed_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = stand_in(tmp_path, monkeypatch, "", shown(lease(MANAGER, OLD)), "patched")
    leaders.release(Path("kubeconfig"), REST, where="stack dev")
    asked = said()
    assert [call.split()[3] for call in asked] == ["get", "get", "patch"]
    assert f"patch lease {MANAGER} --type=json --patch={leaders.patch('723')}" in asked[-1]
    assert all("--kubeconfig kubeconfig --namespace=kube-system" in call for call in asked)


def test_where_a_machine_ran_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = stand_in(tmp_path, monkeypatch, shown(lease(MANAGER, OLD)))
    leaders.release(Path("kubeconfig"), None, where="stack dev")
    assert said() == []


def test_a_start_does_not_fail_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stand_in(tmp_path, monkeypatch, "")
    monkeypatch.setattr(leaders, "PATIENCE", 0.1)
    with caplog.at_level(logging.WARNING):
        leaders.release(Path("kubeconfig"), REST, where="stack dev")
    assert "Unable to connect to the server" in caplog.text


def test_nor_for_a_cache_without_kubectl(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def missing(_: str) -> Path:
        raise StacklabError("kubectl is not in the cache")

    monkeypatch.setattr(artifacts, "binary", missing)
    leaders.release(Path("kubeconfig"), REST, where="stack dev")
    assert "kubectl is not in the cache" in caplog.text
