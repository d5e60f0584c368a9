"""`stacklab class` from the command line, as far as nothing is made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from modules.base.errors import StacklabError
from modules.classroom import lock
from modules.cli import main as entry

ROOT = Path(__file__).parents[3]


@pytest.fixture
def school(checkout: Path) -> Path:
    return checkout


def write(school: Path, **keys: object) -> None:
    roster = [{"id": f"s{n:02}", "name": f"Student {n}"} for n in range(1, 101)]
    data = {"roster": roster, "template": "small", **keys}
    (school / "classes" / "big.yaml").write_text(yaml.safe_dump(data))


def test_a_plan_that_fits(school: Path) -> None:
    write(school, roster=[{"id": "s01"}], limits={"reserve": "1MiB"})
    ran = CliRunner().invoke(entry.build(), ["class", "plan", "big", "--json"])
    found = json.loads(ran.stdout)
    assert found["students"][0]["network"] == "10.208.1.0/24"
    assert (ran.exit_code == 0) == found["fits"]
    assert not (school / "classes" / "big.places.yaml").exists()


def test_a_plan_that_does_not_fit(school: Path) -> None:
    write(school, hosts=[{"name": "here", "memory": "5GiB", "cpus": 64, "disk": "1TiB"}])
    ran = CliRunner().invoke(entry.build(), ["class", "plan", "big"])
    assert ran.exit_code == 1
    assert "because memory" in ran.stdout or "inotify" in ran.stdout
    assert "ways out" in ran.stdout
    assert "and 40 more: --all shows them" in ran.stderr


def test_a_class_that_is_over_or_changed_by_somebody_else_is_left_alone(school: Path) -> None:
    write(school, expires="2020-01-01")
    app = entry.build()
    over = CliRunner().invoke(app, ["class", "up", "big"])
    assert isinstance(over.exception, StacklabError)
    assert "over since 2020-01-01" in str(over.exception)
    holder = "\n".join(
        [
            "import sys",
            "from modules.classroom import lock",
            "with lock.hold('big'):",
            "    print(1, flush=True)",
            "    sys.stdin.read()",
        ]
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        refused = CliRunner().invoke(app, ["class", "up", "big"])
        assert f"process {process.pid}" in str(refused.exception)
        process.kill()
    assert lock.held("big") == ""


def test_a_misspelt_class_and_student(school: Path) -> None:
    write(school)
    wrong = CliRunner().invoke(entry.build(), ["class", "plan", "bigg"])
    assert "did you mean big?" in str(wrong.exception)
    nobody = CliRunner().invoke(entry.build(), ["class", "up", "big", "--only", "s1"])
    assert "there is no such student: s1" in str(nobody.exception)
