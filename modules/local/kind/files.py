"""The files of one lab on kind, all under .stacklab/labs/<stack>: kubeconfig, configuration, shim, evidence."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
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
    def hosts(self) -> Path:
        """containerd's hosts files; every machine has this folder mounted for as long as it lives."""
        return self.folder / "registries"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def lock(self) -> Path:
        """Held while a kind of this lab is at work; outside the lab's folder, which goes away with the lab."""
        return self.folder.parent.parent / "locks" / f"{self.folder.name}.lock"

    def write_inputs(self, config: str, engine: str, shim: str, hosts: Mapping[str, str]) -> None:
        """Everything that kind reads. hosts: path below the folder of that name -> text."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(config)
        write_all(self.hosts, hosts)
        self.bin.mkdir(exist_ok=True)
        script = self.bin / engine
        script.write_text(shim)
        script.chmod(0o755)

    def remove(self) -> None:
        """What this module and kind made; the folder itself when nothing else is in it."""
        for file in (self.kubeconfig, self.config, self.folder / "kubeconfig.lock"):
            file.unlink(missing_ok=True)
        for folder in (self.bin, self.logs, self.hosts):
            shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def write_all(folder: Path, texts: Mapping[str, str]) -> None:
    """Exactly these files below the folder; without any there is no folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, text in texts.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def of(stack: str) -> LabFiles:
    """The files of the lab of that stack."""
    return LabFiles(paths.lab(stack))
