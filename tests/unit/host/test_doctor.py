"""Doctor: which facts make which check fail, what it means for each backend, the mending command, the exit status."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from modules.cli import doctor as command
from modules.host import checks, doctor
from modules.host.checks import GIB, LIBRARY, TOOLS, Check, Seen
from modules.host.engine import Engine, Trial
from modules.host.facts import HostFacts
from modules.host.network import Conflict
from tests.unit.host.hosts import CI, LAPTOP

PODMAN = Trial(Engine("podman", "/usr/bin/podman", {"CONTAINERS_CONF": "/x"}), "")
DOCKER = Trial(Engine("docker", "/usr/bin/docker"), "")
DOWN = replace(DOCKER, reason="Cannot connect to the Docker daemon")
ON_CI = Seen(CI, (DOWN, PODMAN), (), frozenset(TOOLS) - {"libvirtd", "virtqemud"} | {LIBRARY})
ON_LAPTOP = Seen(LAPTOP, (DOCKER,), (), frozenset(TOOLS) | {LIBRARY})
TROUBLESHOOTING = Path(__file__).parents[3] / "docs" / "troubleshooting.md"


def statuses(seen: Seen) -> dict[str, str]:
    return {check.id: check.status for check in doctor.judge(seen)}


def one(seen: Seen, check: str) -> Check:
    return next(found for found in doctor.judge(seen) if found.id == check)


def on(host: HostFacts, **changes: object) -> Seen:
    return replace(ON_LAPTOP, facts=replace(host, **changes))  # type: ignore[arg-type]  # a table of single facts


def test_a_friendly_laptop_has_nothing_to_mend() -> None:
    assert set(statuses(ON_LAPTOP).values()) == {"ok"}
    assert set(doctor.backends(doctor.judge(ON_LAPTOP)).values()) == {()}


def test_the_ci_machine() -> None:
    assert {name: status for name, status in statuses(ON_CI).items() if status != "ok"} == {
        "capabilities": "warn",
        "limits": "warn",
        "cgroup": "warn",
        "modules-dir": "warn",
        "proxy-modes": "warn",
        "inotify": "warn",
        "systemd": "warn",
        "kvm": "warn",
        "libvirt": "fail",
    }
    kept = doctor.backends(doctor.judge(ON_CI))
    assert kept == {"kind": (), "minikube": (), "libvirt": ("libvirt",), "ssh": ()}


@pytest.mark.parametrize(
    ("seen", "check", "status", "mend"),
    [
        (on(LAPTOP, nofile=1024), "limits", "fail", "ulimit -Hn 65536"),
        (on(LAPTOP, nofile=-1), "limits", "ok", ""),
        (on(LAPTOP, cgroup_controllers=("cpu", "cpuset", "pids")), "cgroup", "fail", "cat /proc/cgroups"),
        (on(LAPTOP, features=LAPTOP.features - {"vxlan"}), "kernel", "fail", "sudo modprobe --all vxlan"),
        (on(LAPTOP, free_memory=GIB), "memory", "fail", "ps aux --sort=-rss | head"),
        (on(LAPTOP, free_memory=3 * GIB), "memory", "warn", "ps aux --sort=-rss | head"),
        (on(LAPTOP, free_disk=GIB), "disk", "fail", "df -h"),
        (on(LAPTOP, free_disk=10 * GIB), "disk", "warn", "df -h"),
        (
            on(LAPTOP, inotify_instances=128),
            "inotify",
            "warn",
            "sudo sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288",
        ),
        (on(LAPTOP, kvm="hangs"), "kvm", "warn", ""),
        (on(LAPTOP, kvm="absent"), "kvm", "warn", ""),
        (replace(ON_LAPTOP, tools=frozenset()), "sudo", "warn", "sudo apt-get install --yes sudo"),
        (replace(ON_CI, tools=frozenset()), "image-tools", "warn", "apt-get install --yes mmdebstrap"),
        (
            replace(ON_LAPTOP, conflicts=(Conflict("10.200.0.0/14", "10.201.0.0/16", "route of device tun0"),)),
            "network",
            "warn",
            "ip route",
        ),
    ],
)
def test_a_fact_and_its_verdict(seen: Seen, check: str, status: str, mend: str) -> None:
    found = one(seen, check)
    assert (found.status, found.mend) == (status, mend)
    assert found.means or status == "ok"


@pytest.mark.parametrize(
    ("host", "trials", "tools", "mend"),
    [
        (LAPTOP, (), TOOLS, "setup/bootstrap"),
        (LAPTOP, (DOWN,), TOOLS, "sudo systemctl start docker"),
        (
            LAPTOP,
            (replace(DOCKER, reason="permission denied while trying to connect"),),
            TOOLS,
            'sudo usermod --append --groups docker "$USER"   # then log in again',
        ),
        (
            LAPTOP,
            (replace(PODMAN, reason="podman as this user is rootless"),),
            TOOLS,
            "sudo --login   # podman works for root; then again from there",
        ),
        (CI, (DOWN, replace(PODMAN, reason="failed")), ("runc",), "apt-get install --yes iptables"),
        (CI, (replace(PODMAN, reason="no netavark"),), TOOLS, "apt-get install --yes netavark aardvark-dns"),
    ],
)
def test_no_engine_works(host: HostFacts, trials: tuple[Trial, ...], tools: tuple[str, ...], mend: str) -> None:
    found = one(Seen(host, trials, (), frozenset(tools)), "engine")
    assert (found.status, found.mend) == ("fail", mend)
    assert set(found.means) == {"kind", "minikube"}


def test_a_failed_check_keeps_exactly_its_backends_from_running() -> None:
    kept = doctor.backends([Check("x", "fail", "", {"kind": "no"}), Check("y", "warn", "", {"minikube": "slow"})])
    assert kept == {"kind": ("x",), "minikube": (), "libvirt": (), "ssh": ()}


def run(seen: Seen, monkeypatch: pytest.MonkeyPatch, *args: str) -> tuple[int, str]:
    monkeypatch.setattr(doctor, "examine", lambda *, afresh: doctor.judge(seen))
    app = typer.Typer()
    app.callback()(lambda: None)
    command.register(app)
    result = CliRunner().invoke(app, ["doctor", *args])
    return result.exit_code, result.stdout


def test_the_exit_status_is_about_one_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(ON_CI, monkeypatch)[0] == 0
    assert run(ON_CI, monkeypatch, "--backend", "libvirt")[0] == 1
    assert run(ON_CI, monkeypatch, "--backend", "vmware")[0] == 2
    assert run(replace(ON_CI, trials=()), monkeypatch)[0] == 1


def test_the_table_has_one_line_a_check(monkeypatch: pytest.MonkeyPatch) -> None:
    _, said = run(ON_CI, monkeypatch)
    lines = [line for line in said.splitlines() if line.startswith(("ok ", "warn ", "fail "))]
    assert len(lines) == len(checks.CHECKS)
    assert "kind, minikube: handled: kubelet is told to accept it" in said
    assert "libvirt: cannot run here: libvirt" in said


def test_json_has_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    _, said = run(ON_CI, monkeypatch, "--json")
    data = json.loads(said)
    assert data["backends"]["libvirt"] == {"runs": False, "because": ["libvirt"]}
    assert [check["id"] for check in data["checks"]] == list(statuses(ON_CI))


@pytest.mark.parametrize("check", list(statuses(ON_CI)))
def test_each_check_is_explained(check: str) -> None:
    assert f"`{check}`" in TROUBLESHOOTING.read_text()
