"""Remove what the tests of this checkout left on the host: `python -m tests.support.clean`."""

from __future__ import annotations

from tests.support.labs import tear_down
from tests.support.project import CHECKOUT, Project

if __name__ == "__main__":
    for pattern in ("e2e", "e2e-gw*", "e2e-machines"):
        for folder in sorted((CHECKOUT / ".stacklab").glob(pattern)):
            tear_down(Project.make(folder))
