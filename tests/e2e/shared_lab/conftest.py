"""The lab in which classes have a namespace for each student. The last test that needs it destroys it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import classes
from tests.support.labs import Lab
from tests.support.project import Project


@pytest.fixture(scope="package")
def shared(project: Project) -> Iterator[Lab]:
    one_for_all = Lab.of(project, classes.SHARED, classes.LAB)
    one_for_all.up().ok()
    yield one_for_all
    one_for_all.remove()
