"""What is said of machines that exist: the table of data/machines.yaml, and the real answers of a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from modules.artifacts.machine.texts import Limits
from modules.bootstrap import checks, facts
from modules.bootstrap.checks import Answer, Problem, Target, Wanted
from modules.bootstrap.checks.table import summary
from modules.machines.remote import close_all
from tests.support import sshd

DATA = Path(__file__).parent / "data"
GOOD = (DATA / "good-machine.txt").read_text()
CASES: list[dict[str, Any]] = yaml.safe_load((DATA / "machines.yaml").read_text())
MACHINES = {"m1": "10.0.0.11", "w1": "10.0.0.21", "w2": "10.0.0.22"}


def probe_of(name: str, changes: dict[str, Any]) -> str:
    own = {"hostname": name, "id": f"id of {name}", "boot": f"boot of {name}", "address": ["127.0.0.1", MACHINES[name]]}
    lines = GOOD.splitlines()
    for key, value in {**own, **changes}.items():
        if key in ("id", "boot") and value in MACHINES:
            value = f"{key} of {value}"
        values = value if isinstance(value, list) else [] if value is None else [value]
        lines = [line for line in lines if not line.startswith(f"{key}=")] + [f"{key}={one}" for one in values]
    return "\n".join(lines)


def answer_of(name: str, changes: dict[str, Any]) -> Answer:
    if "error" in changes:
        return Answer(None, error=changes["error"], command=changes["command"], hint=changes["hint"])
    rest = {key: value for key, value in changes.items() if key != "ahead"}
    return Answer(facts.parse(probe_of(name, rest)), ahead=float(changes.get("ahead", 0.25)))


def show(one: Problem) -> str:
    return f"{'note ' if one.note else ''}{one.machine}: {one.what}{f' -> {one.next}' if one.next else ''}"


def test_there_are_many() -> None:
    assert len(CASES) >= 40
    assert len({case["case"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_case(case: dict[str, Any]) -> None:
    masters = {"m1", *case.get("masters", [])}
    targets = [Target(n, "master" if n in masters else "worker", address) for n, address in MACHINES.items()]
    lab: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in case.get("lab", {}).items()
    }
    answers = {name: answer_of(name, case.get(name) or {}) for name in MACHINES}
    found = checks.judge(targets, answers, Wanted("x", "me", "x86_64", **lab))
    assert [show(one) for one in found] == case["says"]


def test_the_table() -> None:
    problems = [
        Problem("worker-1", "short", "do this"),
        Problem("m1", "a long text " * 12),
        Problem("m1", "nothing to do about it"),
    ]
    assert summary(problems) == "3 problems on 2 machines; nothing has been changed"
    lines = checks.table(problems).splitlines()
    assert lines[:2] == ["  worker-1  short", "              -> do this"]
    assert all(len(line) <= 120 for line in lines)
    assert lines[-1] == "  m1        nothing to do about it"


def test_limits() -> None:
    assert facts.parse(GOOD).limits == Limits(cgroup_v1=False, no_oom_adjust=False)
    poor = facts.parse(GOOD.replace("cgroup2fs", "tmpfs").replace("oom=yes", "oom=no"))
    assert poor.limits == Limits(cgroup_v1=True, no_oom_adjust=True)


@pytest.mark.parametrize(("virt", "emulated"), [("qemu", True), ("kvm", False), ("none", False), ("", False)])
def test_a_machine_whose_processor_is_a_program(virt: str, emulated: bool) -> None:
    assert facts.parse(f"{GOOD}\nvirt={virt}\n").limits.emulated is emulated


@pytest.fixture(scope="module")
def server() -> Iterator[sshd.Server]:
    with sshd.server() as one:
        yield one
        close_all(one.login().known_hosts)


def test_real_machines_at_once(server: sshd.Server, tmp_path: Path) -> None:
    good, gone = server.login(), server.login(machine="gone", port=1)
    keyless = server.login(machine="keyless", key=tmp_path / "none")
    answers = checks.ask([good, gone, keyless])
    assert list(answers) == ["m1", "gone", "keyless"]
    seen = answers["m1"].facts
    assert seen is not None
    assert seen.family == "debian"
    assert seen.cpus > 0
    assert seen.memory > 100_000_000
    assert server.port not in seen.ports  # it listens on loopback only
    assert seen.addresses
    assert abs(answers["m1"].ahead) < 2
    assert "nobody answers" in answers["gone"].error
    assert answers["gone"].command.startswith("ssh ")
    assert "ssh-keygen" in answers["keyless"].hint
