"""A snapshot for programs: what `--json` prints. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from modules.dashboard.model import Snapshot


def as_data(snapshot: Snapshot) -> dict[str, Any]:
    """Names as in the stack's outputs; figures in cores and bytes, null where nobody measured."""
    data = asdict(snapshot)
    cluster = data.pop("cluster")
    return {
        "stack": data["stack"],
        "backend": data["backend"],
        "at": snapshot.at.isoformat(timespec="seconds"),
        "away": data["away"],
        "version": cluster["version"],
        "unmeasured": cluster["unmeasured"],
        "machines": cluster["machines"],
        "pods": cluster["pods"],
        "exposures": list(data["reaches"]),
        "events": [
            {**event, "when": made.when.isoformat() if made.when else None}
            for event, made in zip(cluster["events"], snapshot.cluster.events, strict=True)
        ],
    }
