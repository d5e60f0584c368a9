"""Pulumi's surroundings: links, login, passphrase, environment. All made once, by whoever comes first."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from modules import artifacts, pulumi_home
from modules.base import paths
from modules.base.errors import ArtifactError, StacklabError
from modules.cli.env import exports

TOOLS = (*pulumi_home.PULUMI_TOOLS, *pulumi_home.LAB_TOOLS, pulumi_home.KUBERNETES_PLUGIN)
PLUGIN = f"plugins/resource-kubernetes-v{pulumi_home.KUBERNETES_PLUGIN_VERSION}"


def program(path: Path, text: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own, a store with every tool, and no Pulumi on PATH."""
    store = {name: program(tmp_path / "store" / name, "echo v3.250.0") for name in TOOLS}
    monkeypatch.setattr("modules.artifacts.binary", store.__getitem__, raising=False)
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path / "project"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "project"


def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, *, host: bool = True) -> Path:
    found = program(tmp_path / "theirs" / "pulumi", f"echo {version}")
    if host:
        program(tmp_path / "theirs" / "pulumi-language-python")
    monkeypatch.setenv("PATH", f"{found.parent}:/usr/bin:/bin")
    return found


def test_everything_is_made(project: Path) -> None:
    env = pulumi_home.prepare()
    work = project / ".stacklab"
    assert sorted(p.name for p in (work / "bin").iterdir()) == sorted({*TOOLS} - {pulumi_home.KUBERNETES_PLUGIN})
    assert env["PATH"] == f"{Path(sys.executable).parent}:{work / 'bin'}:/usr/bin:/bin"
    assert env["PULUMI_HOME"] == str(work / "pulumi")
    assert Path(env["PULUMI_CONFIG_PASSPHRASE_FILE"]) == work / "passphrase"
    assert (work / "pulumi" / PLUGIN / pulumi_home.KUBERNETES_PLUGIN).exists()
    credentials = json.loads((work / "pulumi" / "credentials.json").read_text())
    assert credentials["current"] == f"file://{work / 'state'}"
    assert (work / "state").is_dir()


def test_what_the_provider_left_is_removed_unless_it_is_of_this_hour(project: Path) -> None:
    scratch = Path(pulumi_home.prepare()["STACKLAB_SCRATCH"])
    assert scratch.stat().st_mode & 0o777 == 0o700
    old, new = scratch / "kubeconfig1", scratch / "kubeconfig2"
    old.touch()
    new.touch()
    os.utime(old, (0, time.time() - 3601))
    pulumi_home.prepare()
    assert list(scratch.iterdir()) == [new]


def test_again_changes_nothing(project: Path) -> None:
    def everything() -> dict[str, int]:
        return {str(p): p.lstat().st_mtime_ns for p in project.rglob("*") if not p.name.endswith(".lock")}

    first = pulumi_home.prepare()
    before = everything()
    assert pulumi_home.prepare() == first
    assert everything() == before


def test_the_passphrase_is_random_and_for_its_owner_only(project: Path) -> None:
    pulumi_home.prepare()
    file = project / ".stacklab" / "passphrase"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    first = file.read_text()
    assert len(first.strip()) >= 32
    file.unlink()
    pulumi_home.prepare()
    assert file.read_text() != first


def test_who_comes_second_keeps_the_passphrase_of_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "passphrase"

    def meanwhile(_: int) -> str:
        file.write_text("of the first")
        return "of the second"

    monkeypatch.setattr("secrets.token_urlsafe", meanwhile)
    pulumi_home.make_passphrase(file)
    assert file.read_text() == "of the first"
    assert [p.name for p in tmp_path.iterdir()] == ["passphrase"]


def test_a_login_of_the_user_stays(project: Path) -> None:
    credentials = project / ".stacklab" / "pulumi" / "credentials.json"
    credentials.parent.mkdir(parents=True)
    credentials.write_text('{"current": "s3://theirs"}')
    pulumi_home.prepare()
    assert json.loads(credentials.read_text()) == {"current": "s3://theirs"}


def test_after_a_logout_the_folder_is_chosen_again(project: Path) -> None:
    credentials = project / ".stacklab" / "pulumi" / "credentials.json"
    credentials.parent.mkdir(parents=True)
    credentials.write_text('{"current": "", "accounts": {"s3://theirs": {"username": "me"}}}')
    pulumi_home.prepare()
    now = json.loads(credentials.read_text())
    assert now["current"].startswith("file://")
    assert now["accounts"]["s3://theirs"] == {"username": "me"}


def test_a_passphrase_of_the_user_stays(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", "/theirs")
    assert pulumi_home.environment()["PULUMI_CONFIG_PASSPHRASE_FILE"] == "/theirs"  # noqa: S105 - a path
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in pulumi_home.environment()


def test_a_fitting_pulumi_on_path_is_used(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = on_path(tmp_path, monkeypatch, "v3.251.0")
    pulumi_home.prepare()
    assert pulumi_home.pulumi_binary() == theirs
    assert sorted(p.name for p in pulumi_home.tools().iterdir()) == sorted(pulumi_home.LAB_TOOLS)


def test_links_of_ours_make_way_for_a_fitting_pulumi(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi_home.prepare()
    on_path(tmp_path, monkeypatch, "v3.251.0")
    pulumi_home.prepare()
    assert sorted(p.name for p in pulumi_home.tools().iterdir()) == sorted(pulumi_home.LAB_TOOLS)


@pytest.mark.parametrize(("version", "host"), [("v3.249.9", True), ("v3.250.0", False), ("nonsense", True)])
def test_a_pulumi_that_does_not_fit_is_not_used(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, host: bool
) -> None:
    on_path(tmp_path, monkeypatch, version, host=host)
    pulumi_home.prepare()
    assert pulumi_home.pulumi_binary() == project / ".stacklab" / "bin" / "pulumi"


def test_our_own_links_do_not_count_as_a_pulumi_on_path(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = pulumi_home.prepare()
    monkeypatch.setenv("PATH", env["PATH"])
    assert pulumi_home.fitting_pulumi() is None
    assert pulumi_home.prepare()["PATH"] == env["PATH"]


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ("v3.250.0", True),
        ("3.250.0\n", True),
        ("v4.0.0", True),
        ("v3.250.1-alpha.x", True),
        ("v3.99.0", False),
        ("", False),
    ],
)
def test_versions(version: str, enough: bool) -> None:
    assert pulumi_home.new_enough(version) is enough


def test_a_link_that_points_elsewhere_is_corrected(tmp_path: Path) -> None:
    at, target = tmp_path / "kind", tmp_path / "blob"
    target.write_text("program")
    at.symlink_to("/gone")
    pulumi_home.link(at, target)
    assert not at.is_symlink()
    assert at.samefile(target)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["blob", "kind"]


def test_without_pulumi_there_is_no_environment(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Path:
        raise ArtifactError(f"{name} is not in the cache", hint="stacklab fetch")

    monkeypatch.setattr("modules.artifacts.binary", missing)
    with pytest.raises(ArtifactError, match="pulumi is not in the cache"):
        pulumi_home.prepare()


def test_without_kind_there_is(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = artifacts.binary

    def some(name: str) -> Path:
        if name == "kind":
            raise ArtifactError("kind is not in the cache")
        return whole(name)

    monkeypatch.setattr("modules.artifacts.binary", some)
    pulumi_home.prepare()
    assert not (pulumi_home.tools() / "kind").exists()


def test_exports_are_read_back_by_a_shell(project: Path) -> None:
    wanted = {"A": "plain", "B": "with space", "C": 'it\'s $HOME `x` "y"', "D": ""}
    script = "\n".join([*exports(wanted), 'printf "%s\\0" "$A" "$B" "$C" "$D"'])
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split("\0")[:4] == list(wanted.values())


def test_outputs_of_a_stack(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project.mkdir(parents=True)
    theirs = on_path(tmp_path, monkeypatch, "v3.250.0")
    program(theirs, 'case "$1" in version) echo v3.250.0;; *) echo \'{"endpoint": "https://x"}\';; esac')
    assert pulumi_home.stack_outputs("dev") == {"endpoint": "https://x"}
    program(
        theirs,
        'case "$1" in version) echo v3.250.0;; *) echo "error: no stack named \'dev\' found" >&2; exit 255;; esac',
    )
    with pytest.raises(StacklabError, match="no lab of this name is up") as caught:
        pulumi_home.stack_outputs("dev")
    assert caught.value.hint == "bring the lab up first: make up STACK=dev"
    program(theirs, 'case "$1" in version) echo v3.250.0;; *) echo "error: passphrase" >&2; exit 255;; esac')
    with pytest.raises(StacklabError, match="passphrase"):
        pulumi_home.stack_outputs("dev")


def test_the_plugin_has_the_version_of_the_sdk() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    pinned = next(d for d in project["project"]["dependencies"] if d.startswith("pulumi-kubernetes"))
    assert re.fullmatch(rf"pulumi-kubernetes=={re.escape(pulumi_home.KUBERNETES_PLUGIN_VERSION)}", pinned)
    assert paths.checkout().name


def test_a_password_in_the_backends_url_is_known_in_both_spellings(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pulumi_home.backend_passwords() == []
    url = "postgres://teacher:blue%40moon@db.example.org/class"
    credentials = pulumi_home.folder() / "credentials.json"
    credentials.parent.mkdir(parents=True)
    credentials.write_text(json.dumps({"current": url}))
    assert pulumi_home.backend_passwords() == ["blue%40moon", "blue@moon"]
    credentials.write_text(json.dumps({"current": "postgres://teacher@db.example.org/class"}))
    assert pulumi_home.backend_passwords() == []
    monkeypatch.setenv("PULUMI_BACKEND_URL", "postgres://teacher:red@db.example.org/class")
    assert pulumi_home.backend_passwords() == ["red"]
