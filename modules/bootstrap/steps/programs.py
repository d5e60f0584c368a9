"""Programs that are brought over: Kubernetes' own beside those of other versions, containerd, crictl, CNI plugins.

A file counts as the same when its size is: their folders and releases carry the version, and reading half a gigabyte
at each look would take longer than all other steps together.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path

from modules.artifacts.machine import payload
from modules.bootstrap.step import Action, Run, Step, Upload
from modules.bootstrap.steps import journal, probing
from modules.bootstrap.steps.wish import Wish

RESTART = f"{journal.FOLDER}/restart-containerd"


def kubernetes(wish: Wish) -> Step:
    """kubeadm, kubelet and kubectl; which version is the active one is decided elsewhere."""
    files = {path: file for path, file in wish.payload.binaries.items() if path.startswith(payload.KUBERNETES)}
    return _files(f"kubernetes {wish.payload.kubernetes}", files)


def containers(wish: Wish) -> Step:
    """containerd and crictl. A containerd that runs is started again with the new programs."""
    files = {path: file for path, file in wish.payload.binaries.items() if not path.startswith(payload.KUBERNETES)}
    return _files("containerd programs", files, after=f"touch {RESTART}\n")


def cni(wish: Wish) -> Step:
    """The plugins that every CNI calls."""
    files = dict(wish.payload.extra_cni)
    if wish.payload.cni.is_dir():
        files |= {f"{payload.CNI}/{file.name}": file for file in sorted(wish.payload.cni.iterdir()) if file.is_file()}
    return _files("cni plugins", files)


def _files(name: str, files: Mapping[str, Path], after: str = "") -> Step:
    def difference(printed: str) -> Sequence[Action]:
        seen = probing.files(printed)
        found: list[Action] = []
        for path, source in sorted(files.items()):
            there = seen.get(path)
            if there is None:
                found.append(Upload(f"{posixpath.basename(path)} is missing", source, path, 0o755))
            elif there.size != source.stat().st_size:
                found.append(Upload(f"{posixpath.basename(path)} is another build", source, path, 0o755))
            elif there.mode & 0o111 != 0o111:
                found.append(Run(f"{posixpath.basename(path)} is not executable", f"chmod 755 {path}\n"))
        if not found:
            return ()
        paths = [action.path for action in found if isinstance(action, Upload)]
        return (Run("", journal.keep(paths) + after), *found)

    return Step(name, probing.sizes(files), difference, journal.give_back(sorted(files)))
