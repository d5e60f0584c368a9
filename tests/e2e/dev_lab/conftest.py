"""The lab that these tests share: the dev stack under another name. The last test of its story destroys it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.labs import Lab
from tests.support.project import CHECKOUT, Project


@pytest.fixture(scope="package")
def lab(project: Project) -> Iterator[Lab]:
    shared = Lab.like(project, "e2e", CHECKOUT / "stacks" / "Pulumi.dev.yaml")
    shared.up().ok()
    yield shared
    shared.remove()
