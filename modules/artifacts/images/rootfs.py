"""Debian root file systems as uncompressed tars, made by mmdebstrap from this machine's own package sources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from modules.artifacts.images import sources_list
from modules.artifacts.rootfs_table import RECIPES, SOURCE_DATE_EPOCH, command
from modules.base.shell import run

TIMEOUT = 900


def build(name: str, into: Path, on_line: Callable[[str], None] | None = None) -> None:
    """Make the root file system `name` into the tar file `into`; takes about a minute and the package archive."""
    sources = sources_list.read()
    run(
        command(RECIPES[name], sources.suite, into),
        timeout=TIMEOUT,
        env={"SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH},
        stdin="".join(f"{line}\n" for line in sources.lines),
        on_line=on_line,
        where=f"root file system {name}",
        hint="`stacklab doctor` says whether mmdebstrap and the package archive are usable",
    )
