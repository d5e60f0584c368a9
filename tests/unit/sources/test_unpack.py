from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from modules.artifacts.sources.unpack import unpack_file, unpack_folder
from modules.base.errors import ArtifactError


def tar(path: Path, *entries: tuple[str, bytes | str], mode: str = "w:gz", executable: bool = False) -> Path:
    """bytes make a file, a str a symbolic link to it, an empty str a folder."""
    with tarfile.open(path, mode) as out:  # type: ignore[call-overload]  # the mode is a parameter
        for name, content in entries:
            entry = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                entry.size, entry.mode = len(content), 0o755 if executable else 0o644
            else:
                entry.type, entry.linkname = (tarfile.SYMTYPE if content else tarfile.DIRTYPE), content
            out.addfile(entry, io.BytesIO(content) if isinstance(content, bytes) else None)
    return path


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
def test_a_file_out_of_a_tar(tmp_path: Path, mode: str) -> None:
    archive = tar(tmp_path / "a", ("./pulumi/pulumi", b"yes"), ("./pulumi/other", b"no"), mode=mode)
    unpack_file(archive, "pulumi/pulumi", tmp_path / "out", where="x")
    assert (tmp_path / "out").read_bytes() == b"yes"


def test_a_file_out_of_a_zip_and_of_a_gzip_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as out:
        out.writestr("bin/tool", b"zipped")
    unpack_file(tmp_path / "a.zip", "bin/tool", tmp_path / "one", where="x")
    (tmp_path / "tool.gz").write_bytes(gzip.compress(b"gzipped"))
    unpack_file(tmp_path / "tool.gz", "tool", tmp_path / "two", where="x")
    assert ((tmp_path / "one").read_bytes(), (tmp_path / "two").read_bytes()) == (b"zipped", b"gzipped")


def test_a_folder_keeps_links_and_executable_bits(tmp_path: Path) -> None:
    archive = tar(tmp_path / "a", ("go", ""), ("go/bin/go", b"1"), ("go/empty", ""), ("go/g", "bin/go"), ("x", b"no"),
                  executable=True)  # fmt: skip
    unpack_folder(archive, "go", tmp_path / "out", where="x")
    assert sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*")) == [
        "bin",
        "bin/go",
        "empty",
        "g",
    ]
    assert (tmp_path / "out/bin/go").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out/g").readlink() == Path("bin/go")


@pytest.mark.parametrize("root", [".", "./"])
def test_all_of_an_archive(tmp_path: Path, root: str) -> None:
    unpack_folder(tar(tmp_path / "a", (root, ""), ("./b/c", b"1")), ".", tmp_path / "out", where="x")
    assert (tmp_path / "out/b/c").read_bytes() == b"1"


@pytest.mark.parametrize(
    "entries",
    [
        [("../evil", b"1")],
        [("/evil", b"1")],
        [("a/../../evil", b"1")],
        [("link", "/etc")],
        [("link", "../..")],
        [("a/link", "../../b")],
        [("d", "b"), ("d/evil", b"1")],
        [("f", "b"), ("f", b"1")],
    ],
)
def test_nothing_leads_out_of_the_target(tmp_path: Path, entries: list[tuple[str, bytes | str]]) -> None:
    with pytest.raises(ArtifactError, match=r"leads out|behind a link"):
        unpack_folder(tar(tmp_path / "a", *entries), ".", tmp_path / "out", where="x")
    assert not list(tmp_path.rglob("evil"))


def test_what_is_not_in_it_is_named(tmp_path: Path) -> None:
    archive = tar(tmp_path / "a", ("b", b"1"))
    with pytest.raises(ArtifactError, match="holds no file c"):
        unpack_file(archive, "c", tmp_path / "out", where="x")
    with pytest.raises(ArtifactError, match="holds no folder c"):
        unpack_folder(archive, "c", tmp_path / "out", where="x")
    (tmp_path / "page").write_text("<html>")
    with pytest.raises(ArtifactError, match="not an archive"):
        unpack_file(tmp_path / "page", "c", tmp_path / "out", where="x")
