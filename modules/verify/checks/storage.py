"""An app that asks for a volume has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modules.verify.context import Context
from modules.verify.finding import Look
from modules.verify.lab import NAMESPACE, App


@dataclass(frozen=True)
class ClaimsBound:
    app: App
    hint: str = "kubectl describe persistentvolumeclaims; kubectl get storageclass"

    @property
    def name(self) -> str:
        return f"{self.app.name}/volume"

    @property
    def description(self) -> str:
        return "the app's claims are bound"

    def look(self, context: Context) -> Look:
        """Every claim that a pod of the app mounts is Bound."""
        pods = context.kubectl.items("pods", "--namespace", NAMESPACE, "-l", f"app.kubernetes.io/name={self.app.name}")
        names = {name for pod in pods for name in claims_of(pod)}
        if not names:
            return Look(False, f"none of the app's {len(pods)} pods mounts a claim")
        claims = {
            c["metadata"]["name"]: c for c in context.kubectl.items("persistentvolumeclaims", "--namespace", NAMESPACE)
        }
        phases = {name: claims.get(name, {}).get("status", {}).get("phase", "missing") for name in sorted(names)}
        wrong = [f"{name} is {phase}" for name, phase in phases.items() if phase != "Bound"]
        if wrong:
            return Look(False, "; ".join(wrong))
        return Look(True, f"{len(names)} bound: {', '.join(sorted(names))}")


def claims_of(pod: Mapping[str, Any]) -> list[str]:
    """The names of the claims a pod mounts; an ephemeral one is named after pod and volume, by Kubernetes' rule."""
    names = []
    for volume in pod["spec"].get("volumes", []):
        if "persistentVolumeClaim" in volume:
            names.append(volume["persistentVolumeClaim"]["claimName"])
        elif "ephemeral" in volume:
            names.append(f"{pod['metadata']['name']}-{volume['name']}")
    return names
