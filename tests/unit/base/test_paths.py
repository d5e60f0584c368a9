"""Folders follow the user's environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from modules.base import paths


def test_the_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("STACKLAB_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert paths.cache() == tmp_path / "stacklab"
    monkeypatch.setenv("STACKLAB_CACHE", str(tmp_path / "elsewhere"))
    assert paths.cache() == tmp_path / "elsewhere"


def test_run_time_files_stay_in_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))
    assert paths.lab("dev") == tmp_path / ".stacklab" / "labs" / "dev"


def test_the_checkout_holds_the_project_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STACKLAB_PROJECT", raising=False)
    assert (paths.checkout() / "Pulumi.yaml").exists()
