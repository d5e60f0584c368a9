"""Machines that exist, against a real SSH server; what is said of them is replaced where it must differ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modules.base.errors import HostError
from modules.bootstrap import checks
from modules.bootstrap.checks import Problem
from modules.machines import keys
from modules.machines.remote import close_all
from modules.resources import ssh_machines
from modules.resources.ssh_machines import SshMachinesProvider
from tests.support import sshd

provider = SshMachinesProvider()


@pytest.fixture(scope="module")
def server() -> Iterator[sshd.Server]:
    with sshd.server() as one:
        yield one
        close_all(one.login().known_hosts)


@pytest.fixture
def props(server: sshd.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))
    login = {
        "user": "root", "port": server.port, "key": str(server.folder / "client"), "jump": "", "accept_new": False,
        "known_hosts": str(server.folder / "ssh" / "known_hosts"),
    }  # fmt: skip
    machines = [{"name": "m1", "role": "master", "address": "127.0.0.1", "login": login}]
    return {"stack": "t", "machines": machines, "proxy": "iptables", "vip": "", "etcd": [], "__provider": "pickled"}


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    """What the checks find: this host, where the server runs, is no machine for a lab."""
    found: list[Problem] = []
    monkeypatch.setattr(checks, "judge", lambda *_: tuple(found))
    return found


def test_all_problems_fail_the_preview_in_one_table(props: dict[str, Any], judged: list[Problem]) -> None:
    judged += [Problem("m1", "one thing", "mend it"), Problem("m1", "swap is on", note=True), Problem("m1", "another")]
    failures = provider.check({}, props).failures
    assert [one.property for one in failures] == ["machines"]
    assert "stack t: 2 problems on 1 machine; nothing has been changed" in failures[0].reason
    assert "one thing" in failures[0].reason
    assert "-> mend it" in failures[0].reason
    assert "swap" not in failures[0].reason
    with pytest.raises(HostError, match="another"):
        provider.create(props)


def test_notes_are_told(props: dict[str, Any], judged: list[Problem], capsys: pytest.CaptureFixture[str]) -> None:
    judged.append(Problem("m1", "swap is on", note=True))
    assert provider.check({}, props).failures == []
    assert "m1: swap is on" in capsys.readouterr().err


def test_create_knows_the_machines_by_their_ids(props: dict[str, Any], judged: list[Problem]) -> None:
    made = provider.create(props)
    assert made.id == "lab/t/machines"
    assert made.outs
    assert made.outs["generations"] == {"m1": Path("/etc/machine-id").read_text().strip()}
    assert "Host m1" in keys.of("t").config.read_text()
    assert not provider.diff("id", {**made.outs, "__provider": "x"}, props).changes
    assert provider.read(made.id, dict(made.outs)).outs == made.outs


def test_an_unchanged_lab_asks_nobody(props: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_machines, "look", lambda *_, **__: pytest.fail("a machine was asked"))
    assert provider.check(dict(props), props).failures == []


def test_one_that_does_not_answer_fails_a_preview_and_not_a_refresh(
    props: dict[str, Any], judged: list[Problem], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    outs = dict(provider.create(props).outs or {})
    monkeypatch.undo()
    machine = props["machines"][0]
    gone = {**props, "machines": [{**machine, "login": {**machine["login"], "port": 1}}]}
    reason = provider.check({}, gone).failures[0].reason
    assert "nobody answers SSH at 127.0.0.1:1" in reason
    assert "try: ssh " in reason
    read = provider.read("id", {**outs, "machines": gone["machines"]})
    assert read.id == "id"
    assert read.outs
    assert read.outs["generations"] == outs["generations"]
    assert "taken to be as it was" in capsys.readouterr().err


def test_changes_are_never_a_replacement(props: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    new = {**props["machines"][0], "name": "w1", "role": "worker"}
    diff = provider.diff("id", props, {**props, "machines": [*props["machines"], new], "proxy": "nftables"})
    assert (diff.changes, diff.replaces) == (True, [])
    assert "w1 is new; kube-proxy mode changes" in capsys.readouterr().err


def test_delete_removes_the_files(props: dict[str, Any], judged: list[Problem], tmp_path: Path) -> None:
    outs = dict(provider.create(props).outs or {})
    for _ in range(2):
        provider.delete("id", outs)
    assert not list((tmp_path / ".stacklab" / "labs").glob("*"))
