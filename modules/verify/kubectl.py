"""kubectl with the lab's own kubeconfig: nothing here looks at the user's context."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules.base.shell import Result, run


@dataclass(frozen=True)
class Kubectl:
    """One cluster's kubectl. The kubeconfig is the only thing it is told of the cluster."""

    binary: Path
    kubeconfig: Path

    def __call__(self, *args: str, timeout: float = 15, stdin: str | None = None, check: bool = True) -> Result:
        """Run it; a failure raises CommandError with what kubectl said."""
        return run([self.binary, "--kubeconfig", self.kubeconfig, *args], timeout=timeout, stdin=stdin, check=check)

    def get(self, *args: str, timeout: float = 15) -> dict[str, Any]:
        """Objects as data."""
        found: dict[str, Any] = json.loads(self("get", *args, "-o", "json", timeout=timeout).stdout)
        return found

    def items(self, *args: str, timeout: float = 15) -> list[dict[str, Any]]:
        """The objects of a list."""
        found: list[dict[str, Any]] = self.get(*args, timeout=timeout)["items"]
        return found
