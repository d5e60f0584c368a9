"""A checkout of its own for commands of a class."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

SMALL = {"backend": "kind", "workers": 0, "addons": ["calico"]}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With the template `small` and no class yet; other labs of this machine take nothing from its room."""
    (tmp_path / "classes").mkdir()
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.small.yaml").write_text(yaml.safe_dump({"config": {"stacklab:lab": SMALL}}))
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))
    monkeypatch.setattr("modules.classroom.surroundings.inotify_used", lambda: 0)
    return tmp_path
