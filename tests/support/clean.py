"""Remove what the tests of this checkout left on the host: `python -m tests.support.clean`."""

from __future__ import annotations

from tests.support.labs import tear_down
from tests.support.project import CHECKOUT, Project

if __name__ == "__main__":
    if (CHECKOUT / ".stacklab" / "e2e").exists():
        tear_down(Project.make(CHECKOUT / ".stacklab" / "e2e"))
