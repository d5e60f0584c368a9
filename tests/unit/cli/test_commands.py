"""The command line as a user meets it: exit status, streams, errors without stack trace."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from modules import pulumi_home
from modules.artifacts import catalogue
from modules.artifacts.needs import Demand
from modules.base.errors import StacklabError
from modules.cli import main as entry
from modules.cli import output
from modules.cli import verify as verify_command
from modules.cli.hosts import lines
from modules.verify.finding import Finding
from modules.verify.lab import App, read

SITE = "http://k.example.com/"
OUTPUTS: dict[str, Any] = {
    "kubeconfigFile": "/labs/dev/kubeconfig",
    "machines": [
        {"name": "stacklab-dev-control-plane", "role": "master", "address": "10.200.1.11"},
        {"name": "stacklab-dev-worker", "role": "worker", "address": "10.200.1.21"},
    ],
    "exposures": [
        {"app": "kubia", "kind": "loadbalancer", "url": "http://10.200.1.200/", "address": "10.200.1.200", "host": ""},
        {"app": "kubia", "kind": "ingress", "url": SITE, "address": "10.200.1.201", "host": "k.example.com"},
        {"app": "other", "kind": "ingress", "url": f"{SITE}o", "address": "10.200.1.201", "host": "k.example.com"},
        {"app": "late", "kind": "ingress", "url": "", "address": None, "host": "late.example.com"},
        {"app": "in", "kind": "clusterip", "command": "kubectl", "address": "10.96.0.7", "host": "in.default.svc"},
        {"app": "np", "kind": "nodeport", "url": "", "address": "10.200.1.11", "host": "10.200.1.11"},
    ],
}
HOST_LINES = [
    "10.200.1.11\tstacklab-dev-control-plane",
    "10.200.1.21\tstacklab-dev-worker",
    "10.200.1.201\tk.example.com",
]


def call(*args: str) -> Result:
    return CliRunner().invoke(entry.build(), args)


def through_main(monkeypatch: pytest.MonkeyPatch, *args: str) -> int:
    """The status that the process would end with."""
    monkeypatch.setattr(sys, "argv", ["stacklab", *args])
    with pytest.raises(SystemExit) as ended:
        entry.main()
    return int(ended.value.code or 0)


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi_home, "stack_outputs", lambda stack: OUTPUTS)


def test_the_commands_of_the_contract_are_there() -> None:
    shown = call("--help").output
    for command in ("doctor", "fetch", "bundle", "verify", "receipt", "hosts", "env", "schema", "validate"):
        assert command in shown


def test_version(monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("--version").output.startswith("stacklab 0.")


def test_an_unknown_command_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert through_main(monkeypatch, "dance") == 2


def failing(error: BaseException) -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.callback()(entry._options)

    @app.command()
    def fail() -> None:
        raise error

    return app


def test_an_error_is_shown_once_without_a_stack_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = StacklabError("it broke", where="worker-1", hint="mend it")
    monkeypatch.setattr(entry, "build", lambda: failing(error))
    monkeypatch.delenv(entry.DEBUG, raising=False)
    assert through_main(monkeypatch, "fail") == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "stacklab: worker-1: it broke\n  next: mend it\n"


def test_debug_shows_the_stack_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "build", lambda: failing(StacklabError("it broke")))
    monkeypatch.setenv(entry.DEBUG, "")
    monkeypatch.setattr(sys, "argv", ["stacklab", "--debug", "fail"])
    with pytest.raises(StacklabError, match="it broke"):
        entry.main()


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "build", lambda: failing(KeyboardInterrupt()))
    assert through_main(monkeypatch, "fail") == 130


def test_host_lines() -> None:
    assert lines(OUTPUTS) == HOST_LINES
    assert lines({}) == []


@pytest.mark.usefixtures("outputs")
def test_hosts_prints_writes_and_removes(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_bytes(b"127.0.0.1 localhost")
    assert call("hosts", "dev").output.splitlines() == HOST_LINES
    assert file.read_bytes() == b"127.0.0.1 localhost"
    assert call("hosts", "dev", "--write", "--file", str(file)).exit_code == 0
    assert b"k.example.com\n# stacklab:dev end\n" in file.read_bytes()
    again = call("hosts", "dev", "--write", "--file", str(file))
    assert "nothing to change" in again.output
    assert call("hosts", "dev", "--remove", "--file", str(file)).exit_code == 0
    assert file.read_bytes() == b"127.0.0.1 localhost"
    assert call("hosts", "dev", "--write", "--remove").exit_code == 2


def test_removing_the_block_needs_no_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(stack: str) -> dict[str, Any]:
        raise StacklabError("no lab of this name is up")

    monkeypatch.setattr(pulumi_home, "stack_outputs", gone)
    file = tmp_path / "hosts"
    file.write_bytes(b"a\n# stacklab:dev begin\n1.1.1.1\tx\n# stacklab:dev end\nb\n")
    assert call("hosts", "dev", "--remove", "--file", str(file)).exit_code == 0
    assert file.read_bytes() == b"a\nb\n"


KUBIA = App("kubia", "deployment", 3, sticky=False, echo=True, volume=False)
GOOD = Finding("nodes", "all nodes", True, "2 nodes Ready", 0.2)
BAD = Finding("dns", "names", False, "no answer", 9.0, "look at coredns")


@pytest.mark.parametrize(("findings", "code"), [([GOOD], 0), ([GOOD, BAD], 1)])
def test_verify_says_by_its_exit_status_whether_all_is_well(
    monkeypatch: pytest.MonkeyPatch, findings: list[Finding], code: int
) -> None:
    monkeypatch.setattr(verify_command, "look_at", lambda stack, timeout: (read(stack, OUTPUTS, [KUBIA]), findings))
    plain = call("verify", "dev")
    assert plain.exit_code == code
    assert plain.output.splitlines()[0].split() == ["CHECK", "RESULT", "SECONDS", "EVIDENCE"]
    assert "http://10.200.1.200/" in plain.output
    assert f"{sum(f.ok for f in findings)} of {len(findings)} checks ok" in plain.output
    assert ("look at coredns" in plain.output) is (code == 1)
    as_json = call("verify", "dev", "--json")
    assert as_json.exit_code == code
    assert json.loads(as_json.output)["ok"] is (code == 0)


def test_verify_that_cannot_run_ends_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(stack: str, timeout: float) -> Any:
        raise StacklabError("no lab of this name is up")

    monkeypatch.setattr(verify_command, "look_at", gone)
    assert through_main(monkeypatch, "verify", "dev") == 2


def test_plain_tables_have_one_line_a_row() -> None:
    assert output.plain_table(("name", "what"), [["a", "one\ntwo"], ["longer", ""]]) == [
        "NAME    WHAT",
        "a       one two",
        "longer",
    ]


def asked_for(monkeypatch: pytest.MonkeyPatch, *args: str) -> tuple[int, set[tuple[str, str]]]:
    """Exit status of a fetch, and the versions of Kubernetes that it would get, for which backends."""
    from modules.artifacts import supply

    versions: set[tuple[str, str]] = set()

    def stop(demands: Sequence[Demand], *_: object, **__: object) -> None:
        versions.update((demand.kubernetes, demand.backend) for demand in demands)
        raise StacklabError("enough")

    monkeypatch.setattr(supply, "supply", stop)
    return through_main(monkeypatch, "fetch", *args), versions


def test_without_a_lab_every_version_is_fetched_or_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    every = ("kind", "minikube", "libvirt", "ssh")
    assert asked_for(monkeypatch)[1] == set(product(catalogue.KUBERNETES, every))
    assert asked_for(monkeypatch, "--kubernetes", "latest")[1] == set(product([catalogue.NEWEST.version], every))
    assert asked_for(monkeypatch, "--kubernetes", "1.35.4")[1] == set(product(["1.35.4"], every))
    assert asked_for(monkeypatch, "--kubernetes", "1.35.4", "--backend", "ssh")[1] == {("1.35.4", "ssh")}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--kubernetes", "1.2.3"), "'1.2.3' is none of latest, "),
        (("--backend", "docker"), "'docker' is none of kind, "),
        (("dev", "--kubernetes", "1.36.3"), "stack dev says it itself"),
        (("dev", "--backend", "kind"), "stack dev says it itself"),
    ],
)
def test_a_version_or_backend_that_fetch_cannot_take_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert asked_for(monkeypatch, *words) == (2, set())
    assert said in capsys.readouterr().err
