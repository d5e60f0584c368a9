"""Real clusters on this machine. One lab serves many tests; each test of a fault makes a small one of its own.

Groups of tests (tests/support/turns.py) run two at a time, those that leave less room than others later.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.support.labs import tear_down
from tests.support.project import CHECKOUT, Project, own_folder
from tests.support.turns import MARKS, Turn, group

HERE = Path(__file__).parent
TURN = Turn(CHECKOUT / ".stacklab" / "e2e-turns")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(900))
    items.sort(key=lambda item: MARKS.index(_mark(item)))


def _mark(item: pytest.Item) -> str:
    return next((mark for mark in MARKS if mark and item.get_closest_marker(mark)), "")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Around all else: no test's time limit counts the wait for the other process."""
    if not item.get_closest_marker("e2e"):
        return (yield)
    TURN.take(_mark(item))
    try:
        return (yield)
    finally:
        if nextitem is None or group(nextitem.nodeid) != group(item.nodeid):
            TURN.leave()


@pytest.fixture(scope="session")
def project() -> Iterator[Project]:
    """The tests' own project; whatever is left of its labs at the end is removed, also after a failure."""
    made = Project.make(own_folder("e2e"))
    yield made
    if not os.environ.get("STACKLAB_KEEP"):
        tear_down(made)
