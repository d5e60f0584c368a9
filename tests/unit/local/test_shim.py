"""The shim, really executed: what reaches the engine when kind calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from modules.host.facts import NodeHost
from modules.local.kind import shim
from tests.unit.local.cases import FRIENDLY, LABELS, RESTRICTED, spec

MARKS = [word for key, value in LABELS.items() for word in ("--label", f"{key}={value}")]
MOUNT = "/lib/modules:/lib/modules:ro"


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """A program, in a folder that needs quoting, that prints its arguments as JSON."""
    file = tmp_path / "the engine's own" / "podman"
    file.parent.mkdir()
    file.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\nsys.exit(7)\n")
    file.chmod(0o755)
    return file


def call(engine: Path, *args: str, host: NodeHost = RESTRICTED) -> list[str]:
    text = shim.render(spec(3, 1), engine="podman", binary=str(engine), labels=LABELS, modules=host.modules_dir)
    script = engine.parent.parent / "podman"
    script.write_text(text)
    script.chmod(0o755)
    done = subprocess.run([script, *args], capture_output=True, text=True, check=False, timeout=10)
    assert done.stderr == ""
    assert done.returncode == 7, "the engine's own exit status"
    words: list[str] = json.loads(done.stdout)
    return words


def test_a_node_gets_its_address_and_our_marks(engine: Path) -> None:
    rest = ["--hostname", "stacklab-dev-worker", "--detach", "image"]
    assert call(engine, "run", "--name", "stacklab-dev-worker", *rest) == [
        *("run", "--name", "stacklab-dev-worker", "--ip", "10.201.7.21", *MARKS),
        *rest,
    ]


def test_the_load_balancer_too(engine: Path) -> None:
    command = ["image", "bash", "-c", "echo 'a  b' $x\n;"]
    got = call(engine, "run", "--name", "stacklab-dev-external-load-balancer", *command)
    assert got[3:5] == ["--ip", "10.201.7.10"]
    assert got[-4:] == command


def test_names_that_begin_alike_are_told_apart(engine: Path) -> None:
    assert call(engine, "run", "--name", "stacklab-dev-control-plane3", "image")[4] == "10.201.7.13"
    assert call(engine, "run", "--name", "stacklab-dev-control-plane", "image")[4] == "10.201.7.11"


def test_a_missing_modules_folder_is_replaced_by_an_empty_one(engine: Path) -> None:
    got = call(engine, "run", "--name", "stacklab-dev-worker", "--volume", MOUNT, "-e", "x", "image")
    assert got[-5:] == ["--volume", "/cache/host/modules:/lib/modules:ro", "-e", "x", "image"]


def test_a_modules_folder_that_is_there_stays(engine: Path) -> None:
    got = call(engine, "run", "--name", "stacklab-dev-worker", "--volume", MOUNT, "image", host=FRIENDLY)
    assert got[-3:] == ["--volume", MOUNT, "image"]


def test_a_volume_gets_a_name_and_our_marks(engine: Path) -> None:
    got = call(engine, "volume", "create", "--label", "stacklab-dev-worker=true")
    assert got == ["volume", "create", *MARKS, "--label", "stacklab-dev-worker=true", "stacklab-dev-worker-var"]


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--name", "somebody-elses", "--volume", MOUNT, "image"],
        ["run", "--rm", "image"],
        ["volume", "ls", "--filter", "label=a"],
        ["exec", "--privileged", "-i", "stacklab-dev-worker", "cp", "/dev/stdin", "/a b"],
        ["ps", "-a", "--filter", "label=io.x-k8s.kind.cluster=stacklab-dev"],
        ["-v"],
        [],
    ],
)
def test_every_other_call_goes_through_as_it_is(engine: Path, words: list[str]) -> None:
    assert call(engine, *words) == words
