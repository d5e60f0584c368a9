"""The store: what goes in comes out, twice the same is once, half-made things are never seen."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from modules.artifacts.store import Store, digest_of, remove
from modules.artifacts.types import Artifact, Kind
from modules.base.errors import ArtifactError
from tests.unit.artifacts.shelf import IMAGE, ORIGIN, TEXT, TOOL, TREE


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def _file(store: Store, text: str) -> Path:
    file = store.room() / "content"
    file.write_text(text)
    return file


def _tree(store: Store, *, executable: bool = False) -> Path:
    folder = store.room() / "content"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc" / "run").write_text("go")
    (folder / "etc" / "run").chmod(0o755 if executable else 0o644)
    (folder / "link").symlink_to("etc/run")
    return folder


def test_a_binary_comes_out_as_it_went_in_and_can_be_executed(store: Store) -> None:
    path = store.put(TOOL, _file(store, "content"), ORIGIN)
    assert store.has(TOOL)
    assert store.path(TOOL) == path
    assert path.read_text() == "content"
    assert path.name == store.digest(TOOL)
    assert os.access(path, os.X_OK)
    assert store.stored(TOOL).origin == ORIGIN


def test_what_is_not_there_is_named_with_the_command_that_gets_it(store: Store) -> None:
    assert not store.has(TOOL)
    with pytest.raises(ArtifactError) as error:
        store.path(TOOL)
    assert "binary/tool@1.2.3" in str(error.value)
    assert "stacklab fetch" in error.value.hint


def test_an_image_name_with_slashes_is_found_again(store: Store) -> None:
    store.put(IMAGE, _file(store, "archive"), ORIGIN)
    assert [stored.artifact for stored in store.all()] == [IMAGE]


def test_all_lists_every_kind_once(store: Store) -> None:
    store.put(TOOL, _file(store, "a"), ORIGIN)
    store.put(TEXT, _file(store, "b"), ORIGIN)
    store.put(TREE, _tree(store), ORIGIN)
    assert {stored.artifact for stored in store.all()} == {TOOL, TEXT, TREE}


def test_the_same_content_is_kept_once(store: Store) -> None:
    other = Artifact("other", "1", Kind.BINARY)
    assert store.put(TOOL, _file(store, "same"), ORIGIN) == store.put(other, _file(store, "same"), ORIGIN)


def test_a_tree_is_kept_with_links_and_executable_bits(store: Store) -> None:
    path = store.put(TREE, _tree(store, executable=True), ORIGIN)
    assert (path / "link").readlink() == Path("etc/run")
    assert os.access(path / "etc" / "run", os.X_OK)


def test_the_digest_of_a_tree_tells_modes_names_and_contents_apart(store: Store) -> None:
    plain, again, executable = _tree(store), _tree(store), _tree(store, executable=True)
    renamed = _tree(store)
    (renamed / "etc" / "run").rename(renamed / "etc" / "walk")
    assert digest_of(plain) == digest_of(again)
    assert len({digest_of(plain), digest_of(executable), digest_of(renamed)}) == 3


def test_a_folder_is_no_binary_and_a_file_is_no_tree(store: Store) -> None:
    for artifact, content in ((TOOL, _tree(store)), (TREE, _file(store, "text"))):
        with pytest.raises(ArtifactError):
            store.put(artifact, content, ORIGIN)


def test_nothing_made_is_an_error(store: Store) -> None:
    with pytest.raises(ArtifactError):
        store.put(TOOL, store.room() / "content", ORIGIN)


def test_a_name_that_leads_out_of_the_store_is_refused(store: Store) -> None:
    with pytest.raises(ArtifactError):
        store.put(Artifact("../../../escape", "1", Kind.BINARY), _file(store, "x"), ORIGIN)


def test_a_damaged_line_of_the_index_counts_as_absent(store: Store) -> None:
    store.put(TOOL, _file(store, "content"), ORIGIN)
    [line] = store.root.glob("index/**/*.json")
    line.write_text(line.read_text()[:20])
    assert not store.has(TOOL)


def test_content_that_is_gone_counts_as_absent(store: Store) -> None:
    store.put(TOOL, _file(store, "content"), ORIGIN).unlink()
    assert not store.has(TOOL)


def test_check_sees_tampering(store: Store) -> None:
    path = store.put(TOOL, _file(store, "content"), ORIGIN)
    assert store.check(TOOL)
    path.write_text("changed")
    assert not store.check(TOOL)


def test_forgotten_content_goes_with_tidy_and_named_content_stays(store: Store) -> None:
    gone = store.put(TOOL, _file(store, "to forget"), ORIGIN)
    kept = store.put(TEXT, _file(store, "to keep"), ORIGIN)
    half_made = store.room()
    store.forget(TOOL)
    assert store.tidy(older=-1) >= len("to forget")
    assert not gone.exists()
    assert not half_made.exists()
    assert kept.exists()


def test_tidy_leaves_what_another_writer_may_be_about_to_name(store: Store) -> None:
    young = store.put(TOOL, _file(store, "young"), ORIGIN)
    room = store.room()
    store.forget(TOOL)
    assert store.tidy() == 0
    assert young.exists()
    assert room.exists()


def test_many_writers_of_the_same_artifact_leave_one_whole_thing(store: Store) -> None:
    def write(number: int) -> None:
        for _ in range(5):
            store.put(TREE, _tree(store), ORIGIN)
            store.put(TOOL, _file(store, f"content {number}"), ORIGIN)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.check(TREE)
    assert store.check(TOOL)
    assert json.loads(next(store.root.glob("index/binary/*.json")).read_text())["digest"] == store.digest(TOOL)
    assert not list(store.root.glob("blobs/.*"))


def test_remove_takes_read_only_folders_and_leaves_what_a_link_points_to(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    inner = tmp_path / "cache" / "mod"
    inner.mkdir(parents=True)
    (inner / "file").write_text("x")
    (inner / "link").symlink_to(outside)
    inner.chmod(0o500)
    remove(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
    assert outside.exists()
