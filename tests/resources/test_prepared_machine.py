"""A prepared machine as a resource, over a real SSH connection; the steps are small ones that touch a folder only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modules.base.errors import CommandError
from modules.bootstrap import fingerprint, reset
from modules.bootstrap.step import Step, Write
from modules.machines.remote import StrangerError, UnreachableError, close_all
from modules.resources import prepared_machine
from modules.resources.prepared_machine import INPUTS, PreparedMachineProvider, changes, inputs_of, left_alone
from modules.topology.model import LabSpec
from modules.topology.plan import plan
from tests.support import sshd

provider = PreparedMachineProvider()


@pytest.fixture(scope="module")
def server() -> Iterator[sshd.Server]:
    with sshd.server() as one:
        yield one
        close_all(one.login().known_hosts)


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the only step writes."""
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path / "checkout"))
    file = tmp_path / "machine" / "file"
    step = Step("small", f"cat {file} 2>/dev/null", lambda p: () if p == "x" else (Write("no x yet", str(file), "x"),))
    monkeypatch.setattr(prepared_machine, "steps", lambda _wish: (step,))
    monkeypatch.setattr(prepared_machine, "wish_of", lambda _props, made=False: None)
    return file


@pytest.fixture
def props(server: sshd.Server, target: Path) -> dict[str, Any]:
    spec = {
        "backend": "libvirt",
        "kubernetes": "1.36.3",
        "masters": [{"name": "m1", "address": "192.168.26.21"}],
        "workers": 0,
    }
    lab = plan(LabSpec.model_validate(spec), "t")
    login = {
        "user": "root", "port": server.port, "key": str(server.folder / "client"), "jump": "", "accept_new": False,
        "known_hosts": str(server.folder / "ssh" / "known_hosts"),
    }  # fmt: skip
    inputs = inputs_of(lab, lab.machines[0])
    machine = {**inputs["machine"], "address": "127.0.0.1", "login": login}
    return {**inputs, "machine": machine, "generation": "g1", "preview": False, "__provider": "pickled"}


def gone(props: dict[str, Any]) -> dict[str, Any]:
    machine = props["machine"]
    return {**props, "machine": {**machine, "login": {**machine["login"], "port": 1}}}


def test_inputs_are_whole(props: dict[str, Any]) -> None:
    assert {*INPUTS, "preview", "__provider"} == set(props)
    assert "PRIVATE" not in str(props)


def test_a_preview_says_what_would_run_and_changes_nothing(
    props: dict[str, Any], target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checked = provider.check({}, {**props, "preview": True})
    assert checked.failures == []
    assert "preview" not in checked.inputs
    assert capsys.readouterr().err == f"m1: would be done: small: no x yet (writes {target})\n"
    assert not target.exists()
    provider.check({}, props)
    assert capsys.readouterr().err == ""


def test_a_preview_of_what_is_not_there_yet(props: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert provider.check({}, {**gone(props), "preview": True}).failures == []
    assert "m1: does not answer yet" in capsys.readouterr().err


def test_create_prepares_and_tells_facts(
    props: dict[str, Any], target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = provider.create(props)
    assert target.read_text() == "x"
    assert made.id == "lab/t/m1/prepared"
    assert made.outs
    assert set(made.outs["facts"]) >= {"os", "cgroup_v1", "no_oom_adjust"}
    assert "m1: small: no x yet" in capsys.readouterr().err
    assert not provider.diff("id", {**made.outs, "__provider": "x"}, props).changes


def test_what_went_wrong_meanwhile_is_found_and_mended(props: dict[str, Any], target: Path) -> None:
    outs = dict(provider.create(props).outs or {})
    target.unlink()
    read = provider.read("id", outs)
    assert read.outs
    assert read.outs["missing"] == [f"small: no x yet (writes {target})"]
    diff = provider.diff("id", dict(read.outs), props)
    assert (diff.changes, diff.replaces) == (True, [])
    assert (provider.update("id", dict(read.outs), props).outs or {})["missing"] == []
    assert target.exists()


def test_a_refresh_of_one_that_is_off(props: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    outs = dict(provider.create(props).outs or {})
    assert provider.read("id", gone(outs)).id == "id"
    assert "taken to be as it was" in capsys.readouterr().err


def test_a_refresh_does_not_pass_over_another_machine(
    props: dict[str, Any], server: sshd.Server, tmp_path: Path
) -> None:
    outs = dict(provider.create(props).outs or {})
    kind, key, *_ = (server.folder / "client.pub").read_text().split()
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{server.port} {kind} {key}\n")
    outs["machine"]["login"]["known_hosts"] = str(known)
    with pytest.raises(StrangerError, match="does not have the host key that is known for it") as caught:
        provider.read("id", outs)
    assert "ssh-keygen -f" in caught.value.hint


@pytest.mark.parametrize(
    ("changed", "replaces", "words"),
    [
        ({}, [], []),
        ({"generation": "g2"}, ["generation"], ["it is another machine"]),
        ({"kubernetes": "1.35.4"}, [], ["Kubernetes 1.36.3 -> 1.35.4"]),
        ({"entries": []}, [], ["machines in its hosts file: changed"]),
        ({"__provider": "other"}, [], []),
    ],
)
def test_changes(props: dict[str, Any], changed: dict[str, Any], replaces: list[str], words: list[str]) -> None:
    found = changes(props, {**props, **changed})
    assert [one.field for one in found if one.replace] == replaces
    assert [one.reason for one in found] == words


def test_a_vm_goes_as_a_whole(props: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reset, "reset", lambda *_: pytest.fail("a VM was reset"))
    provider.delete("id", props)


def test_a_machine_that_exists_is_given_back(
    props: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(reset, "reset", lambda remote, stack, say: calls.append(stack))
    monkeypatch.setattr(fingerprint, "compare", lambda *_: ["link c0 is new"])
    provider.delete("id", {**props, "backend": "ssh"})
    assert calls == ["t"]
    assert "warning: m1 is not quite as it was before the lab: link c0 is new" in capsys.readouterr().err


def test_a_machine_that_does_not_answer_is_not_forgotten(
    props: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UnreachableError, match="cannot be taken back") as caught:
        provider.delete("id", {**gone(props), "backend": "ssh"})
    assert "STACKLAB_LEAVE=m1 pulumi destroy" in caught.value.hint
    monkeypatch.setenv("STACKLAB_LEAVE", "m1")
    provider.delete("id", {**gone(props), "backend": "ssh"})
    assert "left as it is" in capsys.readouterr().err


@pytest.mark.parametrize(("said", "yes"), [("", False), ("m1", True), ("m0, m1", True), ("all", True), ("m11", False)])
def test_who_may_be_left(said: str, yes: bool) -> None:
    assert left_alone("m1", said) is yes


def test_a_failing_step_fails_the_create(props: dict[str, Any], target: Path) -> None:
    target.parent.mkdir()
    target.mkdir()  # what cannot be written
    with pytest.raises(CommandError, match="step small"):
        provider.create(props)
