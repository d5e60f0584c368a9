"""A layer is a function of its entries alone."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from modules.artifacts.images.layer import Entry, File, Folder, HardLink, Layer, Symlink, from_entries, from_tar, tree

ENTRIES: list[Entry] = [
    File("usr/bin/tool", b"#!/bin/sh\n", 0o755),
    File("/etc/tool.conf", b"a = 1\n"),
    Symlink("usr/sbin/init", "/usr/lib/systemd/systemd"),
    HardLink("usr/bin/a-second-name", "/usr/bin/tool"),
    Folder("tmp", 0o1777),
]


def read(layer: Layer) -> bytes:
    stream = io.BytesIO()
    layer.write(stream)
    return stream.getvalue()


def members(layer: Layer) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(read(layer))) as tar:
        return {member.name: member for member in tar}


def test_the_same_entries_give_the_same_layer_in_any_order() -> None:
    assert from_entries(ENTRIES).digest == from_entries(reversed(ENTRIES)).digest


def test_digest_and_size_are_those_of_what_is_written(tmp_path: Path) -> None:
    layer = from_entries(ENTRIES)
    (tmp_path / "layer.tar").write_bytes(read(layer))
    again = from_tar(tmp_path / "layer.tar")
    assert (again.digest, again.size) == (layer.digest, layer.size)


def test_golden_listing() -> None:
    found = [
        (m.name, m.type, oct(m.mode), m.linkname, m.uid, m.mtime, m.size)
        for m in members(from_entries(ENTRIES)).values()
    ]
    d, f, s, h = tarfile.DIRTYPE, tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
    assert found == [
        ("etc", d, "0o755", "", 0, 0, 0),
        ("etc/tool.conf", f, "0o644", "", 0, 0, 6),
        ("tmp", d, "0o1777", "", 0, 0, 0),
        ("usr", d, "0o755", "", 0, 0, 0),
        ("usr/bin", d, "0o755", "", 0, 0, 0),
        ("usr/bin/tool", f, "0o755", "", 0, 0, 10),
        ("usr/sbin", d, "0o755", "", 0, 0, 0),
        ("usr/sbin/init", s, "0o777", "/usr/lib/systemd/systemd", 0, 0, 0),
        ("usr/bin/a-second-name", h, "0o777", "usr/bin/tool", 0, 0, 0),
    ]


def test_a_file_of_this_machine_and_its_bytes_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"content")
    (tmp_path / "f").chmod(0o600)
    assert from_entries([File("f", tmp_path / "f")]).digest == from_entries([File("f", b"content")]).digest


@pytest.mark.parametrize(
    "other",
    [File("f", b"2"), File("g", b"1"), File("f", b"1", 0o755), File("f", b"1", owner=7), Symlink("f", "1")],
)
def test_any_difference_is_another_layer(other: File | Symlink) -> None:
    assert from_entries([other]).digest != from_entries([File("f", b"1")]).digest


def test_two_different_entries_for_one_path_are_refused() -> None:
    with pytest.raises(ValueError, match="/f"):
        from_entries([File("f", b"1"), File("/f", b"2")])


def test_a_tree_keeps_links_and_takes_modes_from_disk_or_from_the_caller(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "run").write_text("x")
    (tmp_path / "bin" / "run").chmod(0o755)
    (tmp_path / "text").write_text("y")
    (tmp_path / "link").symlink_to("text")
    modes = {e.path: e.mode for e in tree(tmp_path, "opt") if isinstance(e, File)}
    assert modes == {"opt/bin/run": 0o755, "opt/text": 0o644}
    assert Symlink("opt/link", "text") in tree(tmp_path, "opt")
    modes = {e.path: e.mode for e in tree(tmp_path, executable=lambda name: name == "text") if isinstance(e, File)}
    assert modes == {"bin/run": 0o644, "text": 0o755}
