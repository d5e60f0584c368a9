"""What mmdebstrap is asked for. UPDATE_GOLDEN=1 rewrites the golden files: read the difference."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from modules.artifacts import rootfs_table
from modules.artifacts.images import rootfs, sources_list
from modules.artifacts.images.sources_list import AptSources
from modules.base.errors import CommandError

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", sorted(rootfs_table.RECIPES))
def test_golden_command(name: str) -> None:
    words = rootfs_table.command(rootfs_table.RECIPES[name], "bookworm", Path("/into.tar"))
    file = GOLDEN / f"rootfs-{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text("\n".join(words) + "\n")
    assert "\n".join(words) + "\n" == file.read_text()


@pytest.mark.parametrize("name", sorted(rootfs_table.RECIPES))
def test_hooks_are_shell(name: str) -> None:
    for hook in (*rootfs_table.RECIPES[name].before, *rootfs_table.RECIPES[name].hooks):
        subprocess.run(["sh", "-n", "-c", hook], check=True, timeout=10)


def test_the_sources_go_in_by_standard_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = ("deb http://mirror.test/debian bookworm main", "deb http://mirror.test/debian bookworm-updates main")
    monkeypatch.setattr(sources_list, "read", lambda: AptSources("bookworm", lines))
    fake = tmp_path / "mmdebstrap"
    fake.write_text(f"#!/bin/sh\ncat >{shlex.quote(str(tmp_path / 'sources'))}\necho $SOURCE_DATE_EPOCH\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    said: list[str] = []
    rootfs.build("base", tmp_path / "base.tar", said.append)
    assert (tmp_path / "sources").read_text().splitlines() == list(lines)
    assert said == [rootfs_table.SOURCE_DATE_EPOCH]


@pytest.mark.skipif(os.geteuid() != 0, reason="mmdebstrap mounts nothing itself for other users")
def test_what_it_mounts_is_not_seen_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sources_list, "read", lambda: AptSources("bookworm", ("deb x y z",)))
    fake = tmp_path / "mmdebstrap"
    fake.write_text("#!/bin/sh\nmkdir $TMPDIR/left && mount -t tmpfs none $TMPDIR/left && touch $TMPDIR/left/in\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "made").mkdir()
    rootfs.build("base", tmp_path / "made" / "base.tar")
    assert list((tmp_path / "made" / "left").iterdir()) == []


def test_a_failure_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sources_list, "read", lambda: AptSources("bookworm", ("deb x y z",)))
    fake = tmp_path / "mmdebstrap"
    fake.write_text("#!/bin/sh\necho no archive >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(CommandError, match=r"root file system base[\s\S]*no archive[\s\S]*doctor"):
        rootfs.build("base", tmp_path / "base.tar")
