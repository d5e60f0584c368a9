"""Servers on loopback, a client that reaches them also where a proxy is set, and quick retries."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from modules.artifacts.sources.client import open_client
from modules.artifacts.sources.download import Tries
from tests.support.servers.files import FileServer
from tests.support.servers.registry import Registry

QUICK = Tries(most=3, first_pause=0.01)


@pytest.fixture(autouse=True)
def _loopback_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with open_client() as made:
        yield made


@pytest.fixture
def files() -> Iterator[FileServer]:
    with FileServer() as server:
        yield server


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as server:
        yield server
