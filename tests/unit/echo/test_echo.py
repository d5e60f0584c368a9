"""The echo app's own Go tests, run by the Go that compiles everything else."""

from __future__ import annotations

import pytest

from modules.artifacts.packages.go import Go
from modules.base import paths

ECHO = paths.checkout() / "modules" / "apps" / "echo"


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Go:
    return Go(tmp_path_factory.mktemp("go"))


@pytest.mark.timeout(600)  # the standard library is compiled first
@pytest.mark.parametrize("words", [("vet", "./..."), ("test", "-count=1", "./...")], ids=["vet", "test"])
def test_go(words: tuple[str, ...], go: Go) -> None:
    go.run(*words, cwd=ECHO)
