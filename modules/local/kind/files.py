"""The files of one lab on kind, all under .stacklab/labs/<stack>: kubeconfig, configuration, shim, evidence."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from modules.base import paths


@dataclass(frozen=True)
class LabFiles:
    """Where each file of a lab is."""

    folder: Path

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def config(self) -> Path:
        return self.folder / "kind.yaml"

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def lock(self) -> Path:
        """Held while a kind of this lab is at work; outside the lab's folder, which goes away with the lab."""
        return self.folder.parent.parent / "locks" / f"{self.folder.name}.lock"

    def write_inputs(self, config: str, engine: str, shim: str) -> None:
        """Everything that kind reads."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(config)
        self.bin.mkdir(exist_ok=True)
        script = self.bin / engine
        script.write_text(shim)
        script.chmod(0o755)

    def remove(self) -> None:
        """What this module and kind made; the folder itself when nothing else is in it."""
        for file in (self.kubeconfig, self.config, self.folder / "kubeconfig.lock"):
            file.unlink(missing_ok=True)
        for folder in (self.bin, self.logs):
            shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def of(stack: str) -> LabFiles:
    """The files of the lab of that stack."""
    return LabFiles(paths.lab(stack))
