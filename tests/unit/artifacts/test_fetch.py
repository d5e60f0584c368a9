"""Fetching: each missing thing once, from the first source that has it; failures do not stop the others."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from modules.artifacts.fetch import Rules, fetch
from modules.artifacts.progress import Tally
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact
from modules.base import shell
from modules.base.errors import ArtifactError
from modules.base.probe import Answer, wait_for
from tests.unit.artifacts.shelf import IMAGE, FakeSource, Heard, tools

A, B, C = tools("a", "b", "c")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def test_what_is_missing_is_made_and_what_is_there_is_not(store: Store) -> None:
    source = FakeSource(has=[A, B])
    fetch([A], [source], store)
    fetch([A, B, B], [source], store)
    assert source.made == [A, B]
    assert store.path(A).read_text() == "binary/a@1 of packages"


def test_the_first_source_that_offers_it_is_asked(store: Store) -> None:
    first, second = FakeSource("upstream", has=[B]), FakeSource("packages", has=[A, B])
    fetch([A, B], [first, second], store)
    assert first.made == [B]
    assert second.made == [A]
    assert store.stored(B).origin.source == "upstream"


def test_a_source_that_fails_gives_way_to_the_next(store: Store) -> None:
    heard = Heard()
    first, second = FakeSource("upstream", has=[A], broken=[A]), FakeSource("packages", has=[A])
    fetch([A], [first, second], store, heard)
    assert store.stored(A).origin.source == "packages"
    assert ("next source", "a") in heard.events
    assert ("failed", "a") not in heard.events


def test_a_failure_is_raised_at_the_end_and_the_others_are_made(store: Store) -> None:
    source = FakeSource(has=[A, B, C], broken=[A])
    with pytest.raises(ArtifactError, match="binary/a@1 cannot be had: packages cannot make a"):
        fetch([A, B, C], [source], store, jobs=1)
    assert store.has(B)
    assert store.has(C)
    assert not store.has(A)


def test_several_failures_are_told_together(store: Store) -> None:
    with pytest.raises(ArtifactError) as error:
        fetch([A, B, C], [FakeSource(has=[A, B], broken=[A, B])], store)
    assert error.value.what == "3 artifacts cannot be had"
    assert all(artifact.id in error.value.output for artifact in (A, B, C))


def test_a_failed_fetch_goes_on_where_it_stopped(store: Store) -> None:
    with pytest.raises(ArtifactError):
        fetch([A, B], [FakeSource(has=[A, B], broken=[B])], store)
    source = FakeSource(has=[A, B])
    fetch([A, B], [source], store)
    assert source.made == [B]


def test_what_an_artifact_needs_is_there_before_it_is_made(store: Store) -> None:
    source = FakeSource(has=[A, B, C], needing={A: (B, C)})
    fetch([A], [source], store, jobs=3)
    assert source.made[-1] == A
    assert set(source.made) == {A, B, C}


def test_what_needs_a_failure_fails_with_its_name(store: Store) -> None:
    source = FakeSource(has=[A, B], needing={A: (B,)}, broken=[B])
    with pytest.raises(ArtifactError) as error:
        fetch([A], [source], store)
    assert "binary/a@1: binary/b@1 could not be had" in error.value.output
    assert A not in source.made


def test_the_parts_of_an_image_take_its_place_when_no_source_has_it(store: Store) -> None:
    source = FakeSource(has=[A, B])
    fetch([IMAGE], [source], store, rules=Rules(instead=lambda artifact: (A, B) if artifact == IMAGE else ()))
    assert set(source.made) == {A, B}


def test_the_parts_of_an_image_take_its_place_when_downloading_it_fails(store: Store) -> None:
    upstream, packages = FakeSource("upstream", has=[IMAGE], broken=[IMAGE]), FakeSource(has=[A])
    fetch([IMAGE], [upstream, packages], store, rules=Rules(instead=lambda artifact: (A,) if artifact == IMAGE else ()))
    assert packages.made == [A]


def test_jobs_are_made_at_the_same_time_and_never_more_than_asked_for(store: Store) -> None:
    names = tools(*"abcdefgh")
    meet = threading.Barrier(2)

    def wait_for_another(artifact: Artifact) -> None:
        meet.wait(10)

    source = FakeSource(has=names, during=wait_for_another)
    fetch(names, [source], store, jobs=2)
    assert source.most == 2


def test_one_lane_makes_one_at_a_time(store: Store) -> None:
    names = tools(*"abcdef")
    source = FakeSource(has=names)
    fetch(names, [source], store, jobs=4, rules=Rules(lane=lambda source, artifact: "go"))
    assert source.most == 1
    assert len(source.made) == 6


def test_the_longest_lane_begins_first(store: Store) -> None:
    seconds = {"a": 5.0, "b": 3.0, "c": 4.0}
    source = FakeSource(has=[A, B, C])
    rules = Rules(
        weight=lambda artifact: seconds[artifact.name],
        lane=lambda source, artifact: "shared" if artifact in (B, C) else "",
    )
    fetch([A, B, C], [source], store, jobs=1, rules=rules)
    assert source.made == [B, C, A]


def test_the_observer_hears_it_in_order(store: Store) -> None:
    heard = Heard()
    fetch([A], [FakeSource(has=[A])], store, heard)
    assert heard.events == [("planned", "a"), ("started", "a"), ("making", "a"), ("done", "a")]


def test_nothing_half_made_is_left_behind(store: Store) -> None:
    with pytest.raises(ArtifactError):
        fetch([A], [FakeSource(has=[A], broken=[A])], store)
    assert list((store.root / "tmp").iterdir()) == []


def test_an_error_that_is_not_ours_is_not_swallowed(store: Store) -> None:
    def explode(artifact: Artifact) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fetch([A], [FakeSource(has=[A], during=explode)], store)


def test_an_interrupt_ends_the_programs_that_are_running(store: Store, tmp_path: Path) -> None:
    begun = tmp_path / "begun"

    def run_long(artifact: Artifact) -> None:
        shell.run(["sh", "-c", f"sleep 60 & echo $$ > {begun}; wait"], timeout=60)

    class Impatient(Heard):
        def progress(self, artifact: Artifact, what: str, done: int, total: int) -> None:
            if artifact == B:
                wait_for("the long program runs", lambda: Answer(begun.exists() or None), timeout=10)
                os.kill(os.getpid(), signal.SIGINT)

    source = FakeSource(has=[A, B], during=lambda artifact: run_long(artifact) if artifact == A else None)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fetch([A, B], [source], store, Impatient())
    assert time.monotonic() - started < 30
    assert not store.has(A)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_time_left_is_what_was_recorded_until_we_know_better(clock: Clock) -> None:
    seconds = {"a": 60.0, "b": 30.0, "c": 10.0}
    tally = Tally(lambda artifact: seconds[artifact.name], clock)
    tally.planned([A, B, C])
    assert tally.snapshot().left == 100
    tally.started(A, "packages")
    clock.now = 20
    assert tally.snapshot().left == pytest.approx(80)
    clock.now = 120  # twice as long as recorded
    assert tally.snapshot().left == pytest.approx(46)
    tally.done(A, "packages", 120)
    assert tally.snapshot().left == pytest.approx(80)


def test_a_tally_counts_and_says_what_is_under_way(clock: Clock) -> None:
    tally = Tally(lambda artifact: 1.0, clock)
    tally.planned([A, B])
    tally.started(A, "packages")
    tally.progress(A, "compiling", 0, 0)
    tally.started(B, "upstream")
    tally.progress(B, "downloading", 1, 4)
    now = tally.snapshot()
    assert (now.done, now.total) == (0, 2)
    assert now.under_way == (("binary/a@1", "compiling"), ("binary/b@1", "downloading 25 %"))
    tally.done(A, "packages", 1)
    tally.failed(B, "upstream", ArtifactError("no"), final=True)
    assert tally.snapshot().done == 1
    assert tally.snapshot().total == 1
