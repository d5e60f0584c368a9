from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from modules.artifacts.source import Origin, Report
from modules.artifacts.sources import reach
from modules.artifacts.sources.addresses import Mirrors
from modules.artifacts.sources.cache import CacheSource
from modules.artifacts.sources.order import Ways, order
from modules.artifacts.sources.survey import survey
from modules.artifacts.types import Artifact, Kind, Upstream
from modules.base.errors import ArtifactError
from tests.support.servers.files import FileServer
from tests.support.servers.registry import Registry
from tests.support.servers.serving import Fault
from tests.unit.sources.cases import TOOL, TREE, Catalogue, Shelf, ignore, published


@dataclass
class Named:
    """A source of which only the name counts, and how its reach is."""

    name: str
    reason: str = ""
    until: threading.Event | None = None

    def reach(self) -> str:
        if self.until:
            self.until.wait(20)
        if self.reason == "raise":
            raise ArtifactError("it broke")
        return self.reason

    def offers(self, artifact: Artifact) -> bool:
        return False

    def needs(self, artifact: Artifact) -> tuple[Artifact, ...]:
        return ()

    def get(self, artifact: Artifact, into: Path, report: Report) -> Origin:
        raise NotImplementedError


WAYS = Ways(
    cache=Named("cache"),
    upstream=Named("upstream"),
    packages=Named("packages"),
    mirror=lambda mirrors: Named(f"mirror {mirrors.binaries}"),
    bundle=lambda path: Named(f"bundle {path}"),
)
MIRROR = Mirrors(binaries="https://m")


@pytest.mark.parametrize(
    ("setting", "mirrors", "bundle", "expected"),
    [
        ("auto", Mirrors(), "", "cache,upstream,packages"),
        ("auto", MIRROR, "", "cache,mirror https://m,upstream,packages"),
        ("auto", MIRROR, "b.tar", "cache,bundle b.tar,mirror https://m,upstream,packages"),
        ("upstream", Mirrors(), "", "cache,upstream"),
        ("upstream", MIRROR, "b.tar", "cache,mirror https://m,upstream"),
        ("packages", MIRROR, "", "cache,packages"),
        ("bundle:/x/lab.tar", MIRROR, "", "cache,bundle /x/lab.tar"),
    ],
)
def test_every_setting_has_its_order(setting: str, mirrors: Mirrors, bundle: str, expected: str) -> None:
    found = order(setting, mirrors, WAYS, Path(bundle) if bundle else None)
    assert ",".join(source.name for source in found) == expected


def test_a_setting_that_is_not_known_is_refused() -> None:
    with pytest.raises(ArtifactError, match="'internet' is not known"):
        order("internet", Mirrors(), WAYS)


def test_survey_says_what_is_taken_and_why_not_another() -> None:
    asked = survey([Named("cache"), Named("mirror", "m: no"), Named("upstream", "raise"), Named("packages")])
    assert [s.name for s in asked.usable] == ["cache", "packages"]
    assert asked.lines() == [
        "mirror is out of reach: m: no",
        "upstream is out of reach: it broke",
        "taking what is not in the cache from packages",
    ]
    assert survey([Named("cache"), Named("bundle", "gone")]).lines()[-1].startswith("no source is in reach")


def test_nothing_in_reach_is_said_at_once() -> None:
    survey([Named("cache"), Named("mirror", "m: no"), Named("packages")]).require()
    with pytest.raises(ArtifactError, match="no source of artifacts is in reach") as caught:
        survey([Named("cache"), Named("upstream", "u: no")]).require()
    assert "upstream: u: no" in caught.value.output


def test_survey_asks_all_at_once_and_does_not_wait_for_ever() -> None:
    never = threading.Event()
    begun = time.monotonic()
    asked = survey([Named("a", until=never), Named("b", until=never), Named("c")], limit=0.2)
    took = time.monotonic() - begun
    never.set()
    assert [f.reason for f in asked.findings] == ["no answer within 0.2 s"] * 2 + [""]
    assert took < 2


@pytest.fixture
def other() -> Iterator[Registry]:
    with Registry() as server:
        yield server


def test_hosts_that_do_not_answer_are_left_out(
    client: httpx.Client, files: FileServer, other: Registry, tmp_path: Path
) -> None:
    catalogue = Catalogue()
    with FileServer() as gone:
        dead = gone.url
    catalogue.add(TOOL, Upstream(files.put("/tool", b"1"), ""))
    catalogue.add(TREE, Upstream(dead + "/tree.tgz", "", "."))
    image = catalogue.image(f"{other.host}/a/b", "1")
    source = published(catalogue, client, tmp_path, wanted=[TOOL, TREE, image])
    assert source.reach() == ""
    assert [source.offers(a) for a in (TOOL, TREE, image)] == [True, False, True]
    assert [a.method for a in files.asked] == ["HEAD"]


def test_out_of_reach_is_found_out_quickly(client: httpx.Client, files: FileServer, tmp_path: Path) -> None:
    catalogue = Catalogue()
    with FileServer() as gone:
        catalogue.add(TREE, Upstream(gone.url + "/tree.tgz", ""))
    catalogue.add(TOOL, Upstream(files.put("/tool", b"1"), ""))
    files.fail("/tool", Fault(stall=30), method="HEAD")
    begun = time.monotonic()
    reason = published(catalogue, client, tmp_path, wanted=[TOOL, TREE]).reach()
    assert time.monotonic() - begun < 3
    assert f"{files.host}: no answer within 2.5 s" in reason
    assert gone.host in reason


def test_hosts_that_fail_alike_are_said_together() -> None:
    assert reach.words({"a": "no", "b:1": "late", "c": "no"}) == "a, c: no; b:1: late"


def test_a_wall_that_answers_is_a_wall(client: httpx.Client, files: FileServer, tmp_path: Path) -> None:
    catalogue = Catalogue()
    catalogue.add(TOOL, Upstream(files.put("/tool", b"1"), ""))
    files.fail("/tool", Fault(status=403), method="HEAD")
    source = published(catalogue, client, tmp_path, wanted=[TOOL])
    assert source.reach() == f"{files.host}: answered 403"
    assert not source.offers(TOOL)


def test_nothing_to_ask_for_is_a_reason(client: httpx.Client, tmp_path: Path) -> None:
    assert published(Catalogue(), client, tmp_path, wanted=[TOOL]).reach() == "it has nothing of what is needed"


def test_the_cache_gives_what_it_has(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.path(TOOL).write_bytes(b"1")
    shelf.path(TREE).mkdir()
    (shelf.path(TREE) / "f").write_bytes(b"2")
    source = CacheSource(shelf)
    assert [source.offers(a) for a in (TOOL, TREE, Artifact("x", "1", Kind.IMAGE))] == [True, True, False]
    source.get(TOOL, tmp_path / "one", ignore)
    source.get(TREE, tmp_path / "two", ignore)
    assert ((tmp_path / "one").read_bytes(), (tmp_path / "two/f").read_bytes()) == (b"1", b"2")
