"""Kubernetes' quantities as numbers ("250m", "64Mi", "1500000n"), and numbers as people read them. Pure."""

from __future__ import annotations

import re

_UNITS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_UNITS |= {f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", start=1)}
_FORM = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)(n|u|m|k|[KMGTPE]i?)?")


def number(quantity: object) -> float | None:
    """The number that a quantity stands for; None for what is none."""
    match = _FORM.fullmatch(str(quantity))
    try:
        return float(match[1]) * _UNITS[match[2] or ""] if match else None
    except (KeyError, ValueError):
        return None


def millicores(value: float) -> str:
    """As kubectl top has it: 0.004 -> 4m."""
    return f"{value * 1000:.0f}m"


def cores(value: float) -> str:
    """0.21 -> 0.21, 2.0 -> 2."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def size(value: float) -> str:
    """Bytes in the unit in which they take two or three digits."""
    for unit in ("B", "KiB", "MiB"):
        if value < 1000:
            return f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"
