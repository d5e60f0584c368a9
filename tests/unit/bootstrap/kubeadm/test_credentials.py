"""What a master is asked before a machine joins, and afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from modules.bootstrap.kubeadm import credentials
from tests.unit.bootstrap.kubeadm.cases import cluster, nodes


class Master:
    """Notes the scripts that it is given."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def read(self, _path: str) -> str:
        return "certificate"

    def write(self, _path: str, _text: str, mode: int) -> None:
        assert mode == 0o600

    def run(self, script: str, **_: Any) -> None:
        self.ran.append(script)


def test_a_machine_joins_once_the_cluster_has_signed_for_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "ca_hash", lambda _certificate: "sha256:1")
    master: Any = Master()
    with credentials.lent(master, cluster(), nodes(1, 0)[0], for_master=False) as lent:
        public, _, secret = lent.token.partition(".")
        (before,) = master.ran
        assert before.index("token create") < before.index(credentials.signed(public))
    after = master.ran[-1]
    assert f"bootstrap-token-{public}" in after
    assert all(secret not in script for script in master.ran)
