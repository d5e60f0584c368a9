"""Which change of the Kubernetes version is one that kubeadm can make in place. Pure."""

from __future__ import annotations


def refusal(now: str, wanted: str) -> str:
    """Why a cluster cannot go from one version to the other; "" when it can."""
    before, after = _parts(now), _parts(wanted)
    if after == before:
        return ""
    if after < before:
        way = "destroy the lab and make it again: pulumi destroy, pulumi up"
        return f"Kubernetes cannot go back from {now} to {wanted}; {way}"
    if before[0] != after[0] or after[1] - before[1] > 1:
        step = f"{before[0]}.{before[1] + 1}"
        return f"from {now} to {wanted} are more than one minor version: kubeadm upgrades one at a time; {step} first"
    return ""


def newest(versions: list[str]) -> str:
    return max(versions, key=_parts)


def older(one: str, other: str) -> bool:
    return _parts(one) < _parts(other)


def _parts(version: str) -> tuple[int, int, int]:
    major, minor, patch = (int(part) for part in version.removeprefix("v").split("."))
    return major, minor, patch
