"""When a node cannot leave: nobody answers who could let it go."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from modules.base.errors import ProbeTimeoutError, StacklabError
from modules.bootstrap.kubeadm import kubectl, remove
from tests.unit.bootstrap.kubeadm.cases import cluster, nodes


def test_the_error_says_what_the_masters_said_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def nobody(masters: Any, besides: str, timeout: float) -> None:
        asked.append(timeout)
        raise ProbeTimeoutError("an API server is healthy", output="master01: connection refused")

    monkeypatch.setattr(kubectl, "_wait_for_one", nobody)
    first, worker = nodes(1, 1)
    gone: Any = SimpleNamespace(answers=lambda: False, login=SimpleNamespace(machine=worker.name))
    master: Any = SimpleNamespace(login=SimpleNamespace(machine=first.name))
    with pytest.raises(StacklabError) as refused:
        remove.remove(cluster(), worker, gone, [(first, master)], lambda line: None)
    assert asked == [remove.ANSWERS]
    assert refused.value.what == "node01 cannot leave the cluster: no API server answers on master01 after 90 s"
    assert refused.value.output == "master01: connection refused"
    assert "pulumi destroy" in refused.value.hint
