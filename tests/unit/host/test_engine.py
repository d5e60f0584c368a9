"""Choosing an engine: stand-ins for docker and podman, tried for real, remembered, tried again after a change."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from modules.base import shell
from modules.base.errors import HostError
from modules.host import engine, facts, trial
from tests.unit.host.hosts import CI

TALK = '#!/bin/sh\necho "$(basename "$0") $* conf=$CONTAINERS_CONF" >>"{log}"\n'
PODMAN = TALK + 'case "$1" in --version) echo podman version 4.3.1 ;; run) {run} ;; esac\n'
DOCKER = TALK + 'case "$1" in --version) echo Docker version 27.0.3 ;; info) {info} ;; esac\n'
NO_DAEMON = "echo Cannot connect to the Docker daemon >&2; exit 1"


class Host:
    """A machine with nothing on PATH but stand-ins."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.log, self.cache = folder / "bin", folder / "log", folder / "cache"
        self.bin.mkdir()
        for name in ("sh", "basename"):
            (self.bin / name).symlink_to(f"/usr/bin/{name}")

    def install(self, name: str, script: str, **parts: str) -> None:
        file = self.bin / name
        file.write_text(script.format(log=self.log, **parts))
        file.chmod(0o755)

    def calls(self) -> list[str]:
        said = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.write_text("")
        return said


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    made = Host(tmp_path)
    monkeypatch.setenv("PATH", str(made.bin))
    monkeypatch.setenv("STACKLAB_CACHE", str(made.cache))
    monkeypatch.delenv("STACKLAB_ENGINE", raising=False)
    monkeypatch.setattr(facts, "read", lambda: CI)
    return made


def test_docker_that_works_is_taken(host: Host) -> None:
    host.install("docker", DOCKER, info="echo '[]'")
    host.install("podman", PODMAN, run="exit 0")
    assert engine.choose() == engine.Engine("docker", str(host.bin / "docker"), {})


def test_docker_without_a_daemon_leaves_it_to_podman(host: Host) -> None:
    host.install("docker", DOCKER, info=NO_DAEMON)
    host.install("podman", PODMAN, run="exit 0")
    chosen = engine.choose()
    assert chosen.name == "podman"
    conf = Path(chosen.env["CONTAINERS_CONF"])
    assert conf.parent == host.cache / "host"
    assert "nofile=20000:20000" in conf.read_text()
    run = next(call for call in host.calls() if call.startswith("podman run"))
    assert "--privileged" in run
    assert f"conf={conf}" in run


def test_the_answer_is_remembered_without_a_program_being_started(host: Host) -> None:
    host.install("podman", PODMAN, run="exit 0")
    first = engine.choose()
    host.calls()
    assert engine.choose() == first
    assert host.calls() == []


def test_something_new_on_the_host_is_a_reason_to_try_again(host: Host) -> None:
    host.install("podman", PODMAN, run="exit 0")
    engine.choose()
    host.install("docker", DOCKER, info="echo '[]'")
    assert engine.choose().name == "docker"
    assert engine.choose("podman").name == "podman"  # a lab that was made with podman stays there


def test_a_remembered_configuration_that_is_gone_is_made_again(host: Host) -> None:
    host.install("podman", PODMAN, run="exit 0")
    conf = Path(engine.choose().env["CONTAINERS_CONF"])
    conf.unlink()
    engine.choose()
    assert conf.exists()


def test_a_broken_memory_is_no_memory(host: Host) -> None:
    host.install("podman", PODMAN, run="exit 0")
    engine.choose()
    (host.cache / "host" / "engine-auto.json").write_text('{"key": ')
    assert engine.choose().name == "podman"


def test_none_works_says_what_each_one_said_and_is_not_remembered(host: Host) -> None:
    host.install("docker", DOCKER, info=NO_DAEMON)
    host.install("podman", PODMAN, run="echo error setting rlimit >&2; exit 126")
    with pytest.raises(HostError) as caught:
        engine.choose()
    assert "Cannot connect to the Docker daemon" in caught.value.output
    assert "error setting rlimit" in caught.value.output
    assert "doctor" in caught.value.hint
    host.install("podman", PODMAN, run="exit 0")
    assert engine.choose().name == "podman"


def test_nothing_is_installed(host: Host) -> None:
    with pytest.raises(HostError) as caught:
        engine.choose()
    assert caught.value.output == "neither docker nor podman is installed"


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        ('echo \'["name=seccomp","name=rootless"]\'', "rootless"),
        (NO_DAEMON, "Cannot connect to the Docker daemon"),
    ],
)
def test_docker_of_no_use(host: Host, info: str, reason: str) -> None:
    host.install("docker", DOCKER, info=info)
    assert reason in engine.survey()[0].reason
    assert not any(call.startswith("docker run") for call in host.calls())


def test_podman_under_the_name_of_docker_is_not_docker(host: Host) -> None:
    host.install("docker", "#!/bin/sh\necho podman version 4.3.1\n")
    assert "another name" in engine.survey()[0].reason


def test_a_wish_is_heard(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.install("docker", DOCKER, info="echo '[]'")
    host.install("podman", PODMAN, run="exit 0")
    monkeypatch.setenv("STACKLAB_ENGINE", "podman")
    assert engine.choose().name == "podman"
    monkeypatch.setenv("STACKLAB_ENGINE", "docker")
    host.install("docker", DOCKER, info=NO_DAEMON)
    with pytest.raises(HostError, match="docker does not work here"):
        engine.choose()


def test_what_a_trial_makes_is_removed_also_when_it_fails(host: Host) -> None:
    host.install("podman", PODMAN, run="exit 1")
    engine.survey()
    calls = host.calls()
    made = next(i for i, call in enumerate(calls) if "network create" in call)
    assert any("network rm stacklab-probe" in call for call in calls[made:])
    assert any("rm --force stacklab-probe" in call for call in calls[made:])
    assert list((host.cache / "host").glob("probe-*")) == []


def test_each_call_carries_the_environment_of_the_engine(host: Host) -> None:
    host.install("podman", PODMAN, run="exit 0")
    result = engine.Engine("podman", str(host.bin / "podman"), {"CONTAINERS_CONF": "/x"}).run("ps", timeout=5)
    assert isinstance(result, shell.Result)
    assert host.calls() == ["podman ps conf=/x"]


def test_the_memory_is_readable_by_people(host: Host) -> None:
    host.install("podman", PODMAN, run="exit 0")
    engine.choose()
    known = json.loads((host.cache / "host" / "engine-auto.json").read_text())
    assert known["trials"][0]["engine"]["name"] == "podman"


def test_the_tiny_program_of_this_machine_ends_well(tmp_path: Path) -> None:
    program = tmp_path / "true"
    program.write_bytes(trial.tiny_program(facts.platform.machine()))  # type: ignore[attr-defined]  # the real one
    program.chmod(0o755)
    assert subprocess.run([program], check=False).returncode == 0


def test_a_machine_that_is_not_supported() -> None:
    with pytest.raises(HostError, match="riscv64"):
        trial.tiny_program("riscv64")


@pytest.mark.parametrize(
    ("text", "version"),
    [("podman version 4.3.1\n", (4, 3, 1)), ("podman version 5.0.0-dev", (5, 0, 0)), ("what?", ())],
)
def test_versions(text: str, version: tuple[int, ...]) -> None:
    assert engine.parse_version(text) == version
