from __future__ import annotations

import gzip
import io
import json
import tarfile
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.artifacts.source import Origin
from modules.artifacts.sources.bundle import INDEX, BundleSource, Problem, prove, stacks_of
from modules.artifacts.sources.bundle_writing import write_bundle
from modules.artifacts.store import Store, digest_of
from modules.artifacts.types import Artifact, Kind
from modules.base.errors import ArtifactError
from tests.unit.sources.cases import TEXT, TOOL, TREE, ignore

ORIGIN = Origin("test", "here", "")
NAMES = st.text("abcdefgh0123456789-", min_size=1, max_size=8)
FILES = st.dictionaries(NAMES, st.tuples(st.binary(max_size=300), st.booleans()), max_size=4)
CONTENTS = st.dictionaries(
    st.tuples(NAMES, st.sampled_from(["1", "v2.0"]), st.sampled_from(Kind)), st.tuples(st.binary(max_size=600), FILES)
)


def put(store: Store, artifact: Artifact, content: bytes, files: dict[str, tuple[bytes, bool]]) -> None:
    path = store.room() / "content"
    if artifact.kind is not Kind.TREE:
        path.write_bytes(content)
    else:
        (path / "empty").mkdir(parents=True)
        (path / "link").symlink_to("empty")
        for name, (data, executable) in files.items():
            file = path / "sub" / f"{name}.f"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(data)
            file.chmod(0o755 if executable else 0o644)
    store.put(artifact, path, ORIGIN)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    put(made, TOOL, b"tool" * 5000, {})
    put(made, TEXT, b"kind: List\n", {})
    put(made, TREE, b"", {"run": (b"#!/bin/sh\n", True)})
    return made


@settings(max_examples=60, deadline=None)
@given(CONTENTS)
def test_what_goes_in_comes_out(
    contents: dict[tuple[str, str, Kind], tuple[bytes, dict[str, tuple[bytes, bool]]]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        here, there = Store(Path(name) / "here"), Store(Path(name) / "there")
        artifacts = [Artifact(*key) for key in contents]
        for artifact, (content, files) in zip(artifacts, contents.values(), strict=True):
            put(here, artifact, content, files)
        file = Path(name) / "lab.tar"
        write_bundle(artifacts, here, file)
        assert prove(file, artifacts) == []
        source = BundleSource(file)
        assert source.reach() == ""
        for artifact in artifacts:
            assert source.offers(artifact)
            content_at = there.room() / "content"
            origin = source.get(artifact, content_at, ignore)
            there.put(artifact, content_at, origin)
            assert there.digest(artifact) == here.digest(artifact)


def test_the_same_artifacts_give_the_same_file_at_any_time(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = write_bundle([TOOL, TREE, TEXT], store, tmp_path / "one.tar")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1000)
    two = write_bundle([TEXT, TOOL, TREE, TOOL], store, tmp_path / "deep" / "two.tar")
    assert one == two
    with tarfile.open(tmp_path / "one.tar") as tar:
        table = tar.extractfile(INDEX)
        assert table is not None
        assert [a["name"] for a in json.load(table)["artifacts"]] == ["tool", "text", "tree"]  # by id
    assert digest_of(tmp_path / "one.tar") == digest_of(tmp_path / "deep/two.tar")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "one.tar", "store"]


def test_what_is_not_in_the_store_is_not_bundled(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="is not in the artifact cache"):
        write_bundle([TOOL, Artifact("x", "1", Kind.IMAGE)], store, tmp_path / "b.tar")
    assert [p.name for p in tmp_path.iterdir()] == ["store"]


def test_content_of_another_length_than_the_table_says_is_proven(store: Store, tmp_path: Path) -> None:
    file, bomb = tmp_path / "b.tar", tmp_path / "bomb.tar"
    write_bundle([TOOL], store, file)
    with tarfile.open(file) as tar, tarfile.open(bomb, "w") as new:
        for member in tar:
            data = tar.extractfile(member)
            assert data is not None
            content = data.read() if member.name == INDEX else gzip.compress(b"tool" * 50_000_000, 1)
            member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    copied: list[int] = []
    assert [problem.artifact for problem in prove(bomb, [TOOL])] == [TOOL]
    with pytest.raises(ArtifactError, match="does not match its digest"):
        BundleSource(bomb).get(TOOL, tmp_path / "out", lambda what, done, total: copied.append(done))
    assert copied[-1] <= 2 << 20, "it is not unpacked any further than it should be long"


def test_a_bundle_says_which_stacks_it_was_written_for(store: Store, tmp_path: Path) -> None:
    write_bundle([TOOL], store, tmp_path / "b.tar", stacks=["dev", "ha"])
    assert stacks_of(tmp_path / "b.tar") == ("dev", "ha")


def test_all_that_is_missing_is_listed(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    write_bundle([TOOL], store, file)
    assert prove(file, [TREE, TOOL, TEXT]) == [Problem(a, "is not in the bundle") for a in (TEXT, TREE)]
    assert not BundleSource(file).offers(TREE)


@pytest.mark.parametrize("place", [1, 12, 30])  # not gzip any more, a broken stream, another content
def test_tampered_is_proven_and_never_taken_out(store: Store, tmp_path: Path, place: int) -> None:
    file = tmp_path / "b.tar"
    write_bundle([TOOL, TEXT], store, file)
    with tarfile.open(file) as tar:
        at = tar.getmember(f"blobs/{store.digest(TOOL)}.gz").offset_data
    with file.open("r+b") as raw:
        raw.seek(at + place)
        raw.write(b"!")
    [problem] = prove(file, [TOOL, TEXT])
    assert (problem.artifact, problem.digest) == (TOOL, f"sha256:{store.digest(TOOL)}")
    assert "does not match its digest, found sha256:" in problem.what
    with pytest.raises(ArtifactError, match="does not match its digest"):
        BundleSource(file).get(TOOL, tmp_path / "out", ignore)
    assert not (tmp_path / "out").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.tar", "store"]


def test_a_bundle_that_was_cut_off_is_proven(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    write_bundle([TOOL, TEXT, TREE], store, file)
    with tarfile.open(file) as tar:
        last = tar.getmembers()[-1]
    for end in (last.offset + 100, last.offset_data + 3):
        with file.open("r+b") as raw:
            raw.truncate(end)
        assert len(prove(file, [TOOL, TEXT, TREE])) == 1


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100])
def test_a_file_that_is_no_bundle_is_out_of_reach(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.tar").write_bytes(content)
    assert "not a bundle" in BundleSource(tmp_path / "b.tar").reach()
    assert "not a bundle" in BundleSource(tmp_path / "none.tar").reach()


@pytest.mark.parametrize(("key", "value"), [("architecture", "s390x"), ("format", 1), ("artifacts", [{"name": "x"}])])
def test_a_bundle_for_another_machine_or_time_is_refused(store: Store, tmp_path: Path, key: str, value: object) -> None:
    file = tmp_path / "b.tar"
    write_bundle([TEXT], store, file)
    with tarfile.open(file) as tar:
        data = tar.extractfile(INDEX)
        assert data is not None
        table = json.load(data)
    (tmp_path / INDEX).write_text(json.dumps({**table, key: value}))
    with tarfile.open(file, "w") as tar:
        tar.add(tmp_path / INDEX, INDEX)
    with pytest.raises(ArtifactError, match="not a bundle that can be read"):
        prove(file, [TEXT])
