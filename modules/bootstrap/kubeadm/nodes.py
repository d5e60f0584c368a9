"""Labels and taints of Kubernetes nodes: the patch that makes them as the stack file says. Pure.

The keys we set are remembered in an annotation of the node: those removed from the file go away, others' stay.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ANNOTATION = "stacklab.local/set-by-stack-file"


@dataclass(frozen=True)
class Wanted:
    """A node's labels and taints (key=value:Effect). `never` are labels that must not be there (kubeadm's own)."""

    name: str
    labels: Mapping[str, str]
    taints: tuple[str, ...]
    never_labels: tuple[str, ...] = ()
    never_taints: tuple[str, ...] = ()


def patch(node: Mapping[str, Any], wanted: Wanted) -> dict[str, Any] | None:
    """A merge patch, or None when all is so already. It fails when the node was changed in between."""
    metadata, spec = node["metadata"], node.get("spec", {})
    before = _remembered(metadata.get("annotations", {}).get(ANNOTATION, ""))
    labels, there = _labels(before, wanted, metadata.get("labels", {})), list(spec.get("taints") or [])
    taints = _taints(before, wanted, there)
    note = json.dumps(
        {"labels": sorted(wanted.labels), "taints": sorted(map("/".join, map(slot, parse(wanted.taints))))}
    )
    changes: dict[str, Any] = {}
    if labels:
        changes["labels"] = labels
    if metadata.get("annotations", {}).get(ANNOTATION) != note:
        changes["annotations"] = {ANNOTATION: note}
    found: dict[str, Any] = {}
    if taints != there:
        found["spec"] = {"taints": taints or None}
    if changes or found:
        found["metadata"] = {**changes, "resourceVersion": metadata["resourceVersion"]}
    return found or None


def condition(node: Mapping[str, Any], name: str) -> str:
    """The status of a condition: True, False, Unknown; "" when it is not there."""
    for one in node.get("status", {}).get("conditions", []):
        if one["type"] == name:
            return str(one["status"])
    return ""


def parse(taints: Sequence[str]) -> list[dict[str, str]]:
    """key=value:Effect as the API has it; `key=:Effect` and `key:Effect` are the same."""
    found = []
    for text in taints:
        key, _, effect = text.rpartition(":")
        name, _, value = key.partition("=")
        found.append({"key": name, **({"value": value} if value else {}), "effect": effect})
    return found


def slot(taint: Mapping[str, Any]) -> tuple[str, str]:
    """A node has one taint for each key and effect."""
    return str(taint["key"]), str(taint["effect"])


def _labels(before: Mapping[str, Any], wanted: Wanted, there: Mapping[str, str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {key: text for key, text in wanted.labels.items() if there.get(key) != text}
    for key in (*before.get("labels", ()), *wanted.never_labels):
        if key not in wanted.labels and key in there:
            found[key] = None
    return found


def _taints(before: Mapping[str, Any], wanted: Wanted, there: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ours = {slot(taint): taint for taint in parse(wanted.taints)}
    gone = {tuple(text.rsplit("/", 1)) for text in before.get("taints", ())} | set(
        map(slot, parse(wanted.never_taints))
    )
    kept = []
    for taint in there:
        this = slot(taint)
        if this in ours:
            one = ours.pop(this)
            kept.append(taint if taint.get("value", "") == one.get("value", "") else one)
        elif this not in gone:
            kept.append(taint)
    return [*kept, *ours.values()]


def _remembered(note: str) -> Mapping[str, Any]:
    try:
        found = json.loads(note)
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}
