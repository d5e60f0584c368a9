"""Where benchmarks put what they measured: benchmarks/results/<name>.json, which git ignores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"


def save(name: str, figures: Mapping[str, Any]) -> None:
    """Write all figures of one run; the run before is forgotten."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
