"""A Pulumi project beside the checkout's own, for looks that leave nothing: stack files, a state for new stacks.

    .stacklab/scratch/aside-…/  Pulumi.yaml (the checkout's program)  stacks/ (as `class up` would write them)  state/

It goes when its command ends; what a killed command left goes with the next one.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from modules.base import paths
from modules.classroom import stack_files

PROJECT = "Pulumi.yaml"
_HELD = "held"
_PREFIX = "aside-"


@dataclass(frozen=True)
class Aside:
    """The folder of the project; its own state is where stacks are made that nobody may find again."""

    folder: Path

    @property
    def stacks(self) -> Path:
        return self.folder / "stacks"

    @property
    def backend(self) -> str:
        """The state of its own, as PULUMI_BACKEND_URL names it."""
        return (self.folder / "state").as_uri()

    def write(self, stack: str, config: Mapping[str, Any], *, keeps: Path | None = None) -> None:
        """A stack file; `keeps` is the stack's own one, of which Pulumi's part (the salt of its secrets) is needed."""
        kept = {}
        if keeps is not None and keeps.exists():
            data = yaml.safe_load(keeps.read_text(encoding="utf-8")) or {}
            kept = {key: value for key, value in data.items() if key != "config"}
        text = yaml.safe_dump({**kept, "config": dict(config)}, sort_keys=False)
        stack_files.file_of(self.stacks, stack).write_text(text, encoding="utf-8")


@contextlib.contextmanager
def project() -> Iterator[Aside]:
    """The project, for as long as the block runs."""
    here = paths.scratch()
    here.mkdir(mode=0o700, parents=True, exist_ok=True)
    _clear(here)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=here))
    try:
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            (folder / "lock").rename(folder / _HELD)  # held from the first moment that others see it
            made = Aside(folder)
            for each in (made.stacks, folder / "state"):
                each.mkdir()
            told = yaml.safe_load((paths.checkout() / PROJECT).read_text(encoding="utf-8"))
            text = yaml.safe_dump(moved(told, paths.checkout()), sort_keys=False)
            (folder / PROJECT).write_text(text, encoding="utf-8")
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def moved(project: Mapping[str, Any], checkout: Path) -> dict[str, Any]:
    """The same project from another folder: paths within the checkout name it, stack files are beside it. Pure."""
    data = {**project, "main": str(checkout / str(project.get("main") or "")), "stackConfigDir": "stacks"}
    runtime = project.get("runtime")
    options = runtime.get("options") if isinstance(runtime, Mapping) else None
    if isinstance(runtime, Mapping) and isinstance(options, Mapping) and options.get("virtualenv"):
        options = {**options, "virtualenv": str(checkout / str(options["virtualenv"]))}
        data["runtime"] = {**runtime, "options": options}
    return data


def _clear(here: Path) -> None:
    """Remove what commands left that are no more: the kernel took their locks from them."""
    for folder in here.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (folder / _HELD).open() as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
