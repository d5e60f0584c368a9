"""`stacklab bundle` on one cache, `stacklab fetch` from the file into another: no network, no container engine."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from modules.artifacts import catalogue
from modules.artifacts.needs import Demand
from modules.artifacts.source import Origin
from modules.artifacts.sources import packing
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact, Kind
from modules.base.errors import ArtifactError
from modules.cli.fetch_progress import Bar, Events, Lines, time_text
from modules.cli.main import build
from tests.unit.sources.cases import TEXT, TOOL

STACK = "hosts"  # a lab of machines that are there: its fetch ends with the cache, without an image for an engine


def run(cache: Path, *words: str) -> Result:
    return CliRunner().invoke(build(), words, env={"STACKLAB_CACHE": str(cache)})


def stock(store: Store) -> tuple[Artifact, ...]:
    """Everything a lab needs, by name: its content is its id."""
    artifacts = packing.contents(Demand(catalogue.NEWEST.version, "ssh"), store.has)
    for artifact in artifacts:
        path = store.room() / "content"
        if artifact.kind is Kind.TREE:
            path.mkdir()
            (path / "file").write_text(artifact.id)
        else:
            path.write_text(artifact.id)
        store.put(artifact, path, Origin("test", "here", ""))
    return artifacts


@pytest.fixture
def bundled(tmp_path: Path) -> tuple[Path, tuple[Artifact, ...]]:
    artifacts = stock(Store(tmp_path / "here"))
    done = run(tmp_path / "here", "bundle", "-o", str(tmp_path / "lab.tar"), "--json", STACK)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["artifacts"] == len(artifacts)
    assert told["bytes"] == (tmp_path / "lab.tar").stat().st_size
    assert told["contents"].startswith("sha256:")
    return tmp_path / "lab.tar", artifacts


def test_a_bundle_fills_another_cache(bundled: tuple[Path, tuple[Artifact, ...]], tmp_path: Path) -> None:
    file, artifacts = bundled
    done = run(tmp_path / "there", "fetch", STACK, "--sources", f"bundle:{file}", "--with-pulumi", "--json")
    assert done.exit_code == 0, done.output
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {e["artifact"] for e in events if e["event"] == "done"} == {a.id for a in artifacts}
    assert {e["source"] for e in events if e["event"] == "done"} == {"bundle"}
    here, there = Store(tmp_path / "here"), Store(tmp_path / "there")
    assert [there.digest(a) for a in artifacts] == [here.digest(a) for a in artifacts]
    again = run(tmp_path / "there", "fetch", STACK, "--sources", f"bundle:{file}", "--with-pulumi", "--json")
    assert [json.loads(line)["event"] for line in again.stdout.splitlines()] == ["note", "note"]


def test_a_damaged_bundle_is_refused_before_anything_is_done(
    bundled: tuple[Path, tuple[Artifact, ...]], tmp_path: Path
) -> None:
    file, artifacts = bundled
    victim = next(a for a in artifacts if a.name == "kubelet")
    digest = Store(tmp_path / "here").digest(victim)
    with tarfile.open(file) as tar:
        at = tar.getmember(f"blobs/{digest}.gz").offset_data + 20
    data = file.read_bytes()
    file.write_bytes(data[:at] + b"!" + data[at + 1 :])
    done = run(tmp_path / "there", "fetch", STACK, "--sources", f"bundle:{file}")
    assert isinstance(done.exception, ArtifactError)
    assert f"{victim.id}  sha256:{digest}  {STACK}: does not match its digest" in done.exception.output
    assert not any(Store(tmp_path / "there").has(a) for a in artifacts)


def test_a_bundle_is_not_written_from_half_a_cache(tmp_path: Path) -> None:
    store = Store(tmp_path / "here")
    gone = stock(store)[3]
    store.forget(gone)
    done = run(tmp_path / "here", "bundle", "-o", str(tmp_path / "lab.tar"), STACK)
    assert isinstance(done.exception, ArtifactError)
    assert f"{gone.id}  {STACK}" in done.exception.output
    assert f"stacklab fetch --with-pulumi {STACK}" in done.exception.hint
    assert not (tmp_path / "lab.tar").exists()


def test_lines_are_plain_and_count() -> None:
    out = io.StringIO()
    lines = Lines(lambda artifact: 100.0, out)
    lines.planned([TOOL, TEXT])
    lines.started(TOOL, "upstream")
    lines.progress(TOOL, "downloading", 1, 2)
    lines.failed(TOOL, "upstream", ArtifactError("gone"), False)
    lines.started(TOOL, "packages")
    lines.done(TOOL, "packages", 7.4)
    assert out.getvalue().splitlines() == [
        "[0/2] binary/tool@1.2.3: from upstream",
        "[0/2] binary/tool@1.2.3: upstream has it not: gone; asking the next source",
        "[0/2] binary/tool@1.2.3: from packages",
        "[1/2] binary/tool@1.2.3: done in 7 s, less than a minute left",
    ]


def test_events_do_not_flood() -> None:
    out, now = io.StringIO(), [0.0]
    events = Events(out, lambda: now[0])
    for second, what in ((0.0, "a"), (0.1, "a"), (0.2, "b"), (0.3, "b"), (2.0, "b")):
        now[0] = second
        events.progress(TOOL, what, 1, 9)
    assert [json.loads(line)["what"] for line in out.getvalue().splitlines()] == ["a", "b", "b"]


def test_the_bar_shows_what_is_under_way_and_the_time_left() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    bar = Bar(lambda artifact: 300.0, console)
    bar.planned([TOOL, TEXT])
    bar.started(TOOL, "upstream")
    bar.progress(TOOL, "downloading [x]", 1, 2)
    console.print(bar.render())
    for text in ("0/2", "about 10 min left", "binary/tool@1.2.3", "downloading [x] 50 %"):
        assert text in screen.getvalue()


@pytest.mark.parametrize(("seconds", "text"), [(3, "less than a minute"), (61, "about 1 min"), (1500, "about 25 min")])
def test_time_left_is_no_more_exact_than_it_is_known(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_pulumi_is_left_out_where_a_fitting_one_is_on_path(
    bundled: tuple[Path, tuple[Artifact, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modules.pulumi_home.fitting_pulumi", lambda: Path("/usr/bin/pulumi"))
    for name, words in (("plain", ()), ("whole", ("--with-pulumi",))):
        done = run(tmp_path / name, "fetch", STACK, "--sources", f"bundle:{bundled[0]}", *words)
        assert done.exit_code == 0, done.output
    pulumi = catalogue.component("pulumi", Kind.BINARY).artifact
    assert [Store(tmp_path / name).has(pulumi) for name in ("plain", "whole")] == [False, True]
