"""Real clusters on this machine. One lab serves many tests; each test of a fault makes a small one of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import classes
from tests.support.labs import Lab, tear_down
from tests.support.project import CHECKOUT, Project

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def project() -> Iterator[Project]:
    """The tests' own project; whatever is left of its labs at the end is removed, also after a failure."""
    made = Project.make(CHECKOUT / ".stacklab" / "e2e")
    yield made
    if not os.environ.get("STACKLAB_KEEP"):
        tear_down(made)


@pytest.fixture(scope="session")
def lab(project: Project) -> Iterator[Lab]:
    """The lab that most tests share: the dev stack under another name. The last test of its story destroys it."""
    shared = Lab.like(project, "e2e", CHECKOUT / "stacks" / "Pulumi.dev.yaml")
    shared.up().ok()
    yield shared
    shared.remove()


@pytest.fixture(scope="session")
def shared(project: Project) -> Iterator[Lab]:
    """The lab in which classes have a namespace for each student. The last test that needs it destroys it."""
    one_for_all = Lab.of(project, classes.SHARED, classes.LAB)
    one_for_all.up().ok()
    yield one_for_all
    one_for_all.remove()
