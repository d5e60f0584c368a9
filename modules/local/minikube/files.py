"""The files of one lab on minikube, all under .stacklab/labs/<stack>: kubeconfig, minikube's home, shims."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from modules.base import paths
from modules.local.kind.files import LabFiles as KindFiles
from modules.local.kind.files import write_all

CLIENT = {"client-certificate": "crt", "client-key": "key"}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class LabFiles(KindFiles):
    """As kind's, and minikube's home. `kubeconfig` is a copy, written when everything is done."""

    @property
    def home(self) -> Path:
        """MINIKUBE_HOME."""
        return self.folder / "minikube"

    @property
    def own_kubeconfig(self) -> Path:
        """The one that minikube itself writes."""
        return self.home / "kubeconfig"

    @property
    def last_start(self) -> Path:
        """minikube's own log of its last start."""
        return self.home / ".minikube" / "logs" / "lastStart.txt"

    def profile(self, name: str) -> Path:
        return self.home / ".minikube" / "profiles" / name / "config.json"

    def access(self, name: str, endpoint: str) -> str:
        """A kubeconfig that names minikube's certificates where they lie. Pure but for where that is."""
        own = self.home / ".minikube"
        certificates = {what: str(own / "profiles" / name / f"client.{end}") for what, end in CLIENT.items()}
        cluster = {"server": endpoint, "certificate-authority": str(own / "ca.crt")}
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": name, "cluster": cluster}],
                "users": [{"name": name, "user": certificates}],
                "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
                "current-context": name,
            }
        )

    def forget(self, machine: str) -> None:
        """What minikube keeps of a machine that is gone."""
        shutil.rmtree(self.home / ".minikube" / "machines" / machine, ignore_errors=True)

    def write_tools(self, scripts: Mapping[str, str]) -> None:
        """The programs that minikube finds first."""
        (self.home / "tmp").mkdir(parents=True, exist_ok=True)
        self.bin.mkdir(exist_ok=True)
        for name, text in scripts.items():
            script = self.bin / name
            draft = script.with_name(f".{name}.{os.getpid()}")
            draft.write_text(text)
            draft.chmod(0o755)
            draft.replace(script)

    def place_binaries(self, version: str, programs: Mapping[str, Path], machine: str) -> None:
        """Put the programs of a Kubernetes version where minikube would download them to."""
        folder = self.home / ".minikube" / "cache" / "linux" / ARCHITECTURES.get(machine, machine) / f"v{version}"
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in programs.items():
            place = folder / name
            if not place.exists():
                draft = place.with_name(f".{name}.{os.getpid()}")
                draft.unlink(missing_ok=True)
                try:
                    os.link(source, draft)
                except OSError:
                    shutil.copy2(source, draft)
                draft.replace(place)

    def write_synced(self, texts: Mapping[str, str]) -> None:
        """Files by their place on a machine: minikube copies them there whenever it starts one."""
        write_all(self.home / ".minikube" / "files", {path.strip("/"): text for path, text in texts.items()})

    def remove(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        super().remove()
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def of(stack: str) -> LabFiles:
    """The files of the lab of that stack."""
    return LabFiles(paths.lab(stack))
