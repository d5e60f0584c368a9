"""The id of this checkout."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from modules.local import owner


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))


def test_it_is_drawn_once(tmp_path: Path) -> None:
    first = owner.owner_id()
    assert len(first) == 16
    assert owner.owner_id() == first
    assert [f.name for f in (tmp_path / ".stacklab").iterdir()] == ["owner"]


def test_another_checkout_has_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = owner.owner_id()
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path / "other"))
    assert owner.owner_id() != first


def test_processes_that_ask_at_once_agree() -> None:
    with ProcessPoolExecutor(max_workers=4) as pool:
        assert len(set(pool.map(_ask, range(40)))) == 1


def _ask(_number: int) -> str:
    return owner.owner_id()
