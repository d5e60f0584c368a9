"""What minikube itself knows of a profile, read from its file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Known:
    """Machines by their container's name, masters first as minikube keeps them, and the version they run."""

    nodes: tuple[str, ...]
    kubernetes: str
    image: str


def read(file: Path, name: str) -> Known | None:
    """None when there is no such profile, or none that can be read: it is then as good as not there."""
    try:
        data: dict[str, Any] = json.loads(file.read_text())
        nodes = tuple(_machine(name, str(node.get("Name") or "")) for node in data["Nodes"])
        version = str(data["KubernetesConfig"]["KubernetesVersion"]).removeprefix("v")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Known(nodes, version, str(data.get("KicBaseImage") or ""))


def _machine(profile: str, node: str) -> str:
    """minikube calls the first machine like the profile, the others by the profile and their own name."""
    return profile if node in ("", profile) else f"{profile}-{node}"
