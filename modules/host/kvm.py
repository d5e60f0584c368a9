"""Is /dev/kvm there, and did a guest ever boot under it? Only a boot counts; the libvirt backend reports it here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from modules.base import paths

Verdict = Literal["absent", "present-untested", "usable", "hangs"]
DEVICE = Path("/dev/kvm")


def _memory() -> Path:
    return paths.cache() / "host" / "kvm.json"


def verdict(kernel: str) -> Verdict:
    """What is known about KVM under this kernel."""
    if not DEVICE.exists():
        return "absent"
    try:
        known = json.loads(_memory().read_text())
    except (OSError, ValueError):
        return "present-untested"
    if not isinstance(known, dict) or known.get("kernel") != kernel:
        return "present-untested"
    return "usable" if known.get("booted") is True else "hangs"


def remember(kernel: str, *, booted: bool) -> None:
    """Keep the outcome of a real boot under KVM; it holds until the kernel changes."""
    target = _memory()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    part.write_text(json.dumps({"kernel": kernel, "booted": booted}))
    part.replace(target)
