"""Is /dev/kvm there, and did a guest ever boot under it? Only a boot counts; the libvirt backend reports it here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from modules.base import paths

Verdict = Literal["absent", "present-untested", "usable", "hangs"]
DEVICE = Path("/dev/kvm")
HERE = "qemu:///system"


def _memory() -> Path:
    return paths.cache() / "host" / "kvm.json"


def verdict(kernel: str) -> Verdict:
    """What is known about KVM under this kernel of this host."""
    if not DEVICE.exists():
        return "absent"
    booted = remembered(HERE, kernel)
    if booted is None:
        return "present-untested"
    return "usable" if booted else "hangs"


def remembered(uri: str, kernel: str) -> bool | None:
    """Whether a guest booted on the host of that libvirt; None when that is not known. `kernel`: as it was noted."""
    known = _known().get(uri)
    if not isinstance(known, dict) or known.get("kernel") != kernel or not isinstance(known.get("booted"), bool):
        return None
    return known["booted"] is True


def remember(kernel: str, *, booted: bool, uri: str = HERE) -> None:
    """Keep the outcome of a real boot under KVM; it holds until the kernel changes."""
    target = _memory()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    part.write_text(json.dumps({**_known(), uri: {"kernel": kernel, "booted": booted}}, indent=1))
    part.replace(target)


def _known() -> dict[str, Any]:
    try:
        found = json.loads(_memory().read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
