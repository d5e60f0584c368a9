"""libvirt's own test driver: networks, pools and machines that live in this process. It takes no uploads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

URI = "test:///default"


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Everything in it is gone when the last connection is."""
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path / "checkout"))
    monkeypatch.setenv("STACKLAB_CACHE", str(tmp_path / "cache"))
    connection = libvirt.open(URI)
    yield connection
    connection.close()
