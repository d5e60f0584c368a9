"""Debian root file systems as uncompressed tars, made by mmdebstrap from this machine's own package sources."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from modules.artifacts.images import sources_list
from modules.artifacts.rootfs_table import RECIPES, SOURCE_DATE_EPOCH, command
from modules.base.shell import run

TIMEOUT = 900


def build(name: str, into: Path, on_line: Callable[[str], None] | None = None) -> None:
    """Make the root file system `name` into the tar file `into`; takes about a minute and the package archive."""
    sources = sources_list.read()
    env = {"SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH}
    words = command(RECIPES[name], sources.suite, into)
    if os.geteuid() == 0:
        # It mounts proc and sys below its folder. Mounts of its own, and a folder of ours, go however it ends.
        env["TMPDIR"] = str(into.parent)
        words = ["unshare", "--mount", *words]
    run(
        words,
        timeout=TIMEOUT,
        env=env,
        stdin="".join(f"{line}\n" for line in sources.lines),
        on_line=on_line,
        where=f"root file system {name}",
        hint="`stacklab doctor` says whether mmdebstrap and the package archive are usable",
    )
