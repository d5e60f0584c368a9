"""containerd as kubeadm wants it: configuration, mirrors, units; running, and started again after a change."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from modules.artifacts.machine import registries, texts
from modules.bootstrap.step import Action, Run, Step, Write
from modules.bootstrap.steps import journal, probing
from modules.bootstrap.steps.programs import RESTART
from modules.bootstrap.steps.wish import Wish

_ENABLED = f"{journal.FOLDER}/units"


def configuration(wish: Wish) -> Step:
    """config.toml for what this machine can do, crictl's, and where registries are mirrored."""
    fixed = {texts.CRICTL_CONFIG: texts.crictl(), **registries.hosts_files(wish.mirrors)}
    probe = probing.LIMITS + probing.digests([texts.CONTAINERD_CONFIG, *fixed])

    def difference(printed: str) -> Sequence[Action]:
        limits = probing.limits(printed.splitlines())
        files = {texts.CONTAINERD_CONFIG: texts.containerd_config(wish.payload.pause, limits), **fixed}
        return _writes(files, printed, restart=True)

    return Step("containerd configuration", probe, difference, journal.give_back([texts.CONTAINERD_CONFIG, *fixed]))


def units() -> Step:
    """The units of containerd and the kubelet; the first runs, the second starts when kubeadm has configured it."""
    files = dict(texts.units())
    probe = (
        probing.digests(files)
        + f"[ ! -e {RESTART} ] || echo restart\n"
        + "for unit in containerd kubelet; do systemctl is-enabled --quiet $unit 2>/dev/null || echo off $unit; done\n"
        + "systemctl is-active --quiet containerd || echo down containerd\n"
    )

    def difference(printed: str) -> Sequence[Action]:
        lines = printed.splitlines()
        found = list(_writes(files, printed, restart=True))
        off = [line.split()[1] for line in lines if line.startswith("off ")]
        if found or off:
            note = "".join(f"echo {name} >>{_ENABLED}\n" for name in off)
            enable = f"mkdir -p {journal.FOLDER}\n{note}systemctl daemon-reload\n"
            enable += "systemctl enable --quiet containerd kubelet\n"
            found.append(Run(f"not started at boot: {', '.join(off)}" if off else "systemd reads them", enable))
        if found or "restart" in lines or "down containerd" in lines:
            why = "containerd does not run" if "down containerd" in lines else "containerd runs with the old files"
            found.append(Run(why, f"systemctl restart containerd\nrm -f {RESTART}\n", timeout=180))
        return found

    undo = f"""\
if [ -f {_ENABLED} ]; then
    sort -u {_ENABLED} | while read -r unit; do systemctl disable --now --quiet "$unit" 2>/dev/null || true; done
    rm -f {_ENABLED}
fi
{journal.give_back(files)}systemctl daemon-reload 2>/dev/null || true
systemctl reset-failed containerd kubelet 2>/dev/null || true
"""
    return Step("units", probe, difference, undo)


def _writes(files: Mapping[str, str], printed: str, *, restart: bool) -> Sequence[Action]:
    seen = probing.files(printed)
    wrong = [path for path, text in files.items() if probing.differs(text, seen.get(path))]
    if not wrong:
        return ()
    mark = f"touch {RESTART}\n" if restart else ""
    note = Run("", journal.keep(wrong) + mark)
    changed = {path: "is missing" if path not in seen else "is another one" for path in wrong}
    return (note, *(Write(f"{posixpath.basename(path)} {changed[path]}", path, files[path]) for path in wrong))
