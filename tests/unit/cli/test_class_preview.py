"""`class preview` from the command line; Pulumi is a taught one that notes what it was given."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from modules.base.errors import StacklabError
from modules.classroom import lock
from modules.classroom.aside import Aside
from modules.cli import class_base
from modules.cli import main as entry

SAME = {"same": 9}


class FakeEngine:
    """Pulumi, as far as a preview asks it."""

    def __init__(self, *there: str, **told: Mapping[str, int] | StacklabError) -> None:
        self.there, self.told = there, told
        self.files: dict[str, dict[str, Any]] = {}
        self.new: list[str] = []
        self.copied: list[str] = []
        self.folder = Path()
        self.interrupted = 0
        self.on_start: Callable[[], object] = list

    def stacks(self) -> Mapping[str, Any]:
        return {one: SimpleNamespace(resource_count=9, last_update=None) for one in self.there}

    def copy_aside(self, stack: str, aside: Aside) -> None:
        self.copied.append(stack)

    def preview(self, stack: str, *, aside: Aside, new: bool, progress: Any, on_phase: Any) -> Mapping[str, int]:
        self.on_start()
        self.folder = aside.folder
        self.files[stack] = yaml.safe_load((aside.stacks / f"Pulumi.{stack}.yaml").read_text())
        if new:
            self.new.append(stack)
        progress.before("pulumi-python:dynamic/stacklab:ContainerNetwork", 1.0)
        on_phase()
        told = self.told.get(stack.removeprefix("pair-"), SAME)
        if isinstance(told, StacklabError):
            raise told
        return told

    def interrupt(self) -> None:
        self.interrupted += 1


@pytest.fixture
def school(checkout: Path) -> Path:
    (checkout / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "stacklab", "runtime": "python"}))
    write(checkout)
    return checkout


def write(school: Path, **changed: Any) -> None:
    data = {
        "roster": [{"id": "s01"}, {"id": "s02"}, {"id": "s03"}],
        "template": "small",
        "hosts": [{"name": "here", "memory": "64GiB", "cpus": 64, "disk": "1TiB"}],
        "limits": {"parallel": 1},
        **changed,
    }
    kept = {key: value for key, value in data.items() if value is not None}
    (school / "classes" / "pair.yaml").write_text(yaml.safe_dump(kept))


def run(monkeypatch: pytest.MonkeyPatch, engine: FakeEngine, *words: str) -> Result:
    monkeypatch.setattr(class_base, "engine", lambda: engine)
    return CliRunner().invoke(entry.build(), ["class", "preview", "pair", *words])


def files(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_a_line_a_student_and_the_total(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine("pair-s01", "pair-s02", s02={"update": 2, "delete": 1, "same": 6}, s03={"create": 9})
    before = files(school)
    ran = run(monkeypatch, engine)
    assert ran.exit_code == 0
    assert [line.split() for line in ran.stdout.splitlines()[:4]] == [
        ["STUDENT", "STACK", "CREATE", "UPDATE", "REPLACE", "DELETE", "SAME"],
        ["s01", "pair-s01", "0", "0", "0", "0", "9", "as", "it", "is"],
        ["s02", "pair-s02", "0", "2", "0", "1", "6"],
        ["s03", "pair-s03", "9", "0", "0", "0", "0", "new"],
    ]
    last = ran.stdout.splitlines()[-1]
    assert last.startswith("pair: 3 of 3 previewed in 0:0")
    assert last.endswith("9 to create, 2 to update, 1 to delete, 15 same; nothing would change for 1")
    assert engine.new == ["pair-s03"]
    assert files(school) == before
    assert not engine.folder.exists()


def test_what_is_looked_at_is_what_class_up_would_write(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"encryptionsalt": "v1:abc", "config": {"stacklab:student": {"class": "pair", "id": "s01"}}}
    own = school / "stacks" / "Pulumi.pair-s01.yaml"
    own.write_text(yaml.safe_dump(kept))
    write(school, overrides={"s01": {"workers": 2}})
    engine = FakeEngine("pair-s01")
    run(monkeypatch, engine, "--only", "s01")
    (found,) = engine.files.values()
    assert found["encryptionsalt"] == "v1:abc"
    assert found["config"]["stacklab:lab"]["workers"] == 2
    assert found["config"]["stacklab:lab"]["network"] == {"machines": "10.208.1.0/24"}
    assert found["config"]["stacklab:student"] == {"class": "pair", "id": "s01"}
    assert yaml.safe_load(own.read_text()) == kept


def test_one_that_fails_stops_nobody_and_says_where_and_why(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = StacklabError("no network is free", output="no network is free\nprogram exited with 1")
    engine = FakeEngine("pair-s01", "pair-s02", "pair-s03", s02=broken)
    ran = run(monkeypatch, engine)
    assert ran.exit_code == 2
    assert sorted(engine.files) == ["pair-s01", "pair-s02", "pair-s03"]
    assert "failed, machines: no network is free\n" in ran.stdout
    assert "2 of 3 previewed" in ran.stdout
    assert ran.stdout.rstrip().endswith("; 1 failed")
    data = json.loads(run(monkeypatch, engine, "--json").stdout)
    assert data["changes"] is False
    assert data["total"] == {"create": 0, "update": 0, "replace": 0, "delete": 0, "same": 18}
    bad = data["students"][1]
    assert (bad["state"], bad["phase"], bad["error"]) == ("failed", "machines", "no network is free")
    assert data["students"][0]["changes"] == SAME


@pytest.mark.parametrize(("told", "code"), [({"same": 3, "read": 1}, 0), ({"same": 3, "import": 1}, 1)])
def test_whoever_expects_no_changes_is_told(
    school: Path, monkeypatch: pytest.MonkeyPatch, told: dict[str, int], code: int
) -> None:
    engine = FakeEngine("pair-s01", s01=told)
    assert run(monkeypatch, engine, "--only", "s01").exit_code == 0
    assert run(monkeypatch, engine, "--only", "s01", "--expect-no-changes").exit_code == code


def test_whoever_finds_no_place_is_told_and_not_looked_at(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(school, hosts=[{"name": "here", "memory": "64MiB", "cpus": 64, "disk": "1TiB"}], limits={"reserve": "1MiB"})
    engine = FakeEngine()
    ran = run(monkeypatch, engine, "--only", "s01")
    assert ran.exit_code == 2
    assert "no place: memory" in ran.stdout
    assert engine.files == {}


def test_new_shares_see_the_lab_that_all_share(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(school, tenancy="namespace", shared={"stack": "small"}, hosts=None)
    missing = run(monkeypatch, FakeEngine())
    assert "make up STACK=small" in str(missing.exception)
    engine = FakeEngine("small", "pair-s01")
    run(monkeypatch, engine, "--only", "s01")
    assert engine.copied == []
    run(monkeypatch, engine)
    assert engine.copied == ["small"]
    assert engine.files["pair-s02"]["config"]["stacklab:tenant"]["student"] == "s02"


def test_ctrl_c_before_the_first_look(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(school, tenancy="namespace", shared={"stack": "small"}, hosts=None)
    engine = FakeEngine("small")

    def copy(stack: str, aside: Aside) -> None:
        if stopping:
            os.kill(os.getpid(), signal.SIGINT)
        raise StacklabError("pulumi failed")

    monkeypatch.setattr(engine, "copy_aside", copy)
    stopping = True
    assert run(monkeypatch, engine).exit_code == 130
    stopping = False
    assert "pulumi failed" in str(run(monkeypatch, engine).exception)
    assert engine.files == {}


def test_ctrl_c_looks_at_nobody_else_and_leaves_nothing(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(s01=StacklabError("cancelled"))
    engine.on_start = lambda: os.kill(os.getpid(), signal.SIGINT)
    before = files(school)
    ran = run(monkeypatch, engine)
    assert ran.exit_code == 130
    assert list(engine.files) == ["pair-s01"]
    assert engine.interrupted == 1
    assert [line.split()[2:] for line in ran.stdout.splitlines()[1:4]] == [["interrupted"], ["skipped"], ["skipped"]]
    assert files(school) == before


def test_it_waits_for_nobody_and_tells_who_changes_the_class(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with lock.hold("pair"):
        ran = run(monkeypatch, FakeEngine("pair-s01"), "--only", "s01")
    assert ran.exit_code == 0
    assert "being changed by" in ran.stderr
