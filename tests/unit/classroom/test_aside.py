"""The project aside: it has the checkout's program and stack files of its own, and goes in every case."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from modules.base import paths
from modules.classroom import aside
from tests.support.project import CHECKOUT

PROJECT = {
    "name": "stacklab",
    "runtime": {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}},
    "stackConfigDir": "stacks",
}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(PROJECT))
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))
    return tmp_path


def test_it_is_the_checkouts_program_with_other_stack_files(checkout: Path) -> None:
    own = checkout / "stacks" / "Pulumi.a.yaml"
    own.write_text(yaml.safe_dump({"encryptionsalt": "v1:salt", "config": {"stacklab:lab": {"workers": 9}}}))
    before = own.read_text()
    with aside.project() as made:
        made.write("a", {"stacklab:lab": {"workers": 1}}, keeps=own)
        made.write("b", {"stacklab:lab": {}}, keeps=checkout / "stacks" / "Pulumi.b.yaml")
        told = yaml.safe_load((made.folder / "Pulumi.yaml").read_text())
        assert Path(told["main"]) == checkout
        assert told["name"] == "stacklab"
        assert told["runtime"]["options"] == {"toolchain": "pip", "virtualenv": str(checkout / ".venv")}
        assert yaml.safe_load((made.folder / told["stackConfigDir"] / "Pulumi.a.yaml").read_text()) == {
            "encryptionsalt": "v1:salt",
            "config": {"stacklab:lab": {"workers": 1}},
        }
        assert made.backend == f"file://{made.folder}/state"
        assert made.folder.stat().st_mode & 0o777 == 0o700
    assert own.read_text() == before
    assert [file.name for file in (checkout / "stacks").iterdir()] == ["Pulumi.a.yaml"]
    assert list(paths.scratch().iterdir()) == []


def test_it_goes_after_an_error(checkout: Path) -> None:
    with pytest.raises(KeyError), aside.project():
        raise KeyError
    assert list(paths.scratch().iterdir()) == []


def test_what_a_killed_command_left_goes_with_the_next_and_a_living_ones_stays(checkout: Path) -> None:
    words = (
        "import sys\nfrom modules.classroom import aside\n"
        "with aside.project() as made:\n    print(made.folder, flush=True)\n    sys.stdin.read()"
    )
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", words], env=env, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        with aside.project():
            assert theirs.exists()
        other.send_signal(signal.SIGKILL)
        other.wait(20)
        assert theirs.exists()
        with aside.project() as mine:
            assert [each.name for each in paths.scratch().iterdir()] == [mine.folder.name]
