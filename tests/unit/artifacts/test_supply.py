"""What `stacklab fetch` does: a whole lab's artifacts, by the sources the stack file names."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from modules import artifacts
from modules.artifacts import catalogue, needs, releases, supply
from modules.artifacts.fetch import Rules, fetch
from modules.artifacts.needs import Demand
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact, Kind
from modules.base import locks, paths
from modules.base.errors import ArtifactError
from tests.unit.artifacts.shelf import FakeSource

LAB = Demand(releases.NEWEST.version)


class Packages(FakeSource):
    """Makes everything but whole images, and has a build cache to drop."""

    dropped = False

    def offers(self, artifact: Artifact) -> bool:
        return artifact not in {image.artifact for image in catalogue.IMAGES.values()}

    def lane(self, artifact: Artifact) -> str:
        return ""

    def drop(self) -> None:
        self.dropped = True


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packages:
    monkeypatch.setenv("STACKLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(supply, "GIB", 1)  # the disk of a test machine may be small
    monkeypatch.setattr(supply, "PEAK", 1)
    monkeypatch.setattr(supply, "KEPT", 1)
    source = Packages()
    monkeypatch.setattr(supply, "packages_source", lambda cache: source)
    return source


def test_everything_is_made_once_and_the_build_cache_dropped(packages: Packages) -> None:
    said: list[str] = []
    supply.supply([LAB], "packages", say=said.append)
    assert artifacts.missing(LAB) == ()
    assert said == ["taking what is not in the cache from packages"]
    assert packages.dropped
    made = len(packages.made)
    assert made == len(set(packages.made)) == len(artifacts.needed(LAB))
    supply.supply([LAB], "packages", say=said.append)
    assert len(packages.made) == made
    assert len(said) == 1  # nothing is missing: no source is asked


def test_the_build_cache_stays_when_that_is_asked_for_and_after_a_failure(packages: Packages) -> None:
    packages.broken = [catalogue.component("traefik", Kind.BINARY).artifact]
    with pytest.raises(ArtifactError, match="traefik"):
        supply.supply([LAB], "packages")
    assert not packages.dropped
    assert [artifact.name for artifact in artifacts.missing(LAB)] == ["traefik"]
    packages.broken = []
    supply.supply([LAB], "packages", keep_build_cache=True)
    assert artifacts.missing(LAB) == ()
    assert not packages.dropped


def test_a_second_fetch_waits_for_the_first_and_makes_nothing_twice(packages: Packages) -> None:
    said: list[str] = []
    waits = threading.Event()

    def say(line: str) -> None:
        said.append(line)
        waits.set()

    store = Store(paths.cache())
    with ThreadPoolExecutor(1) as pool:
        with locks.alone(paths.cache() / supply.LOCK):
            second = pool.submit(supply.supply, [LAB], "packages", say=say)
            assert waits.wait(timeout=30)
            assert packages.made == []
            fetch(needs.wanted([LAB], store), [packages], store, rules=Rules(instead=needs.instead))
            made = len(packages.made)
        second.result(timeout=30)
    assert said == ["another command fills the artifact cache: waiting for it"]
    assert len(packages.made) == made


def test_a_source_that_is_unknown_is_refused(packages: Packages) -> None:
    with pytest.raises(ArtifactError, match="is not known"):
        supply.supply([LAB], "somewhere")
    assert packages.made == []
