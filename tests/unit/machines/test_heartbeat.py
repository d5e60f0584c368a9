"""Machines that were started report again: by leases that change, whatever their clocks say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modules import artifacts
from modules.base.errors import ProbeTimeoutError
from modules.machines import heartbeat

OLD, NEW = "2026-11-22T12:00:00.000000Z", "2026-11-22T11:00:00.000000Z"


def leases(**nodes: str | None) -> str:
    return json.dumps({"items": [{"metadata": {"name": n}, "spec": {"renewTime": t}} for n, t in nodes.items()]})


def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *answers: str) -> Path:
    """A stand-in that gives these answers one after the other, the last one for ever; "" is a failure."""
    for number, answer in enumerate(answers):
        (tmp_path / f"{number}").write_text(answer)
    program = tmp_path / "kubectl"
    program.write_text(f"""#!/bin/sh
cd {tmp_path}
n=$(cat turn 2>/dev/null || echo 0)
[ $n -ge {len(answers) - 1} ] || echo $((n + 1)) >turn
[ -s $n ] || {{ echo "Unable to connect to the server" >&2; exit 1; }}
cat $n
""")
    program.chmod(0o755)
    monkeypatch.setattr(artifacts, "binary", lambda _: program)
    return program


def test_every_lease_has_to_change_and_a_clock_may_go_backwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubectl(
        tmp_path,
        monkeypatch,
        "",
        leases(m1=OLD, w1=OLD, stranger=OLD),
        leases(m1=NEW, w1=OLD, stranger=OLD),
        leases(m1=NEW, w1=NEW, stranger=OLD),
    )
    heartbeat.wait(Path("kubeconfig"), ["m1", "w1", "no-node"], timeout=20, where="stack dev")
    assert (tmp_path / "turn").read_text().strip() == "3"


def test_who_is_silent_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl(tmp_path, monkeypatch, leases(m1=OLD, w1=OLD, w2=None), leases(m1=NEW, w1=OLD, w2=None))
    with pytest.raises(ProbeTimeoutError) as caught:
        heartbeat.wait(Path("kubeconfig"), ["m1", "w1", "w2"], timeout=2, where="stack dev")
    assert "silent so far: w1, w2" in str(caught.value.output)
    assert caught.value.where == "stack dev"


def test_a_node_that_leaves_meanwhile_is_not_waited_for() -> None:
    assert heartbeat.silent({"m1": OLD, "w1": OLD}, {"m1": OLD}) == ["m1"]
