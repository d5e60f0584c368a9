"""Remove what the tests of this checkout left on the host: `python -m tests.support.clean`."""

from __future__ import annotations

from tests.support.labs import tear_down
from tests.support.project import CHECKOUT, Project

if __name__ == "__main__":
    for name in ("e2e", "e2e-machines"):
        if (CHECKOUT / ".stacklab" / name).exists():
            tear_down(Project.make(CHECKOUT / ".stacklab" / name))
