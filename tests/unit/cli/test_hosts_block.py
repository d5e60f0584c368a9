"""The marked block: in and out again leaves every byte as it was."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modules.base.errors import StacklabError
from modules.cli.hosts_block import insert, remove, save

LINES = ["10.200.1.201\tkubia.example.com", "10.200.1.11\tstacklab-dev-control-plane"]
BLOCK = "\n".join(["# stacklab:dev begin", *LINES, "# stacklab:dev end", ""]).encode()
contents = st.binary() | st.lists(
    st.sampled_from([b"127.0.0.1 localhost", b"", b"\t# comment", b"::1 x\r", b"# stacklab:other begin", b"\xff"])
).map(b"\n".join)


def test_a_new_block_goes_to_the_end() -> None:
    assert insert(b"127.0.0.1 localhost\n", "dev", LINES) == b"127.0.0.1 localhost\n" + BLOCK


def test_a_block_is_replaced_where_it_stands() -> None:
    before = insert(b"a\n", "dev", ["1.1.1.1\told"]) + b"b\n"
    assert insert(before, "dev", LINES) == b"a\n" + BLOCK + b"b\n"


@given(contents, st.lists(st.sampled_from(LINES)))
@example(b"no newline at the end", LINES)
@example(b"\r", LINES)
@example(b"", [])
def test_write_then_remove_is_as_if_nothing_had_been(content: bytes, lines: list[str]) -> None:
    written = insert(content, "dev", lines)
    assert insert(written, "dev", lines) == written
    assert remove(written, "dev") == content
    assert remove(insert(written, "dev", [*lines, "x"]), "dev") == content


@given(contents)
def test_labs_do_not_touch_each_others_blocks(content: bytes) -> None:
    one = insert(content, "one", LINES)
    assert remove(insert(one, "dev", LINES), "dev") == one
    assert remove(one, "dev") == one
    assert remove(one, "on") == one


@pytest.mark.parametrize(
    "content",
    [
        b"# stacklab:dev begin\n1.1.1.1 x\n",
        b"1.1.1.1 x\n# stacklab:dev end\n",
        b"# stacklab:dev end\n# stacklab:dev begin\n",
        BLOCK + BLOCK,
        b"# stacklab:dev begin\n" + BLOCK,
    ],
)
def test_broken_markers_are_refused(content: bytes) -> None:
    with pytest.raises(StacklabError, match="broken"):
        insert(content, "dev", LINES)
    with pytest.raises(StacklabError, match="broken"):
        remove(content, "dev")


def test_saving_keeps_the_mode_and_leaves_nothing_beside(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_bytes(b"old\n")
    file.chmod(0o640)
    save(file, b"new\n")
    assert file.read_bytes() == b"new\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["hosts"]


def test_saving_follows_a_link(tmp_path: Path) -> None:
    file = tmp_path / "real"
    file.write_bytes(b"old\n")
    (tmp_path / "link").symlink_to(file)
    save(tmp_path / "link", b"new\n")
    assert (tmp_path / "link").is_symlink()
    assert file.read_bytes() == b"new\n"


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(StacklabError, match="cannot be written"):
        save(tmp_path / "no" / "such" / "hosts", b"")
