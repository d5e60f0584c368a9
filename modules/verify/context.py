"""What every check is handed: the lab, its kubectl, the probes."""

from __future__ import annotations

from dataclasses import dataclass

from modules.verify.kubectl import Kubectl
from modules.verify.lab import Lab
from modules.verify.probes import Probes


@dataclass(frozen=True)
class Context:
    """The surroundings of one run."""

    lab: Lab
    kubectl: Kubectl
    probes: Probes
