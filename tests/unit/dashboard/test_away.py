"""Why a lab does not answer, and the next step."""

from __future__ import annotations

import pytest

from modules.base.errors import StacklabError
from modules.dashboard import away

REFUSED = StacklabError("https://10.0.0.1:6443 does not answer: refused")


@pytest.mark.parametrize(
    ("states", "what", "step"),
    [
        ({"m1": "exited", "m2": "exited"}, "The lab is stopped", "stacklab start dev"),
        ({"m1": "shut off", "m2": "shut off"}, "The lab is stopped", "stacklab start dev"),
        ({"m1": "paused", "m2": "paused"}, "The lab is paused", "stacklab unpause dev"),
        ({"m1": "exited", "m2": "running"}, "Stopped: m1", "stacklab start dev"),
        ({"m1": "running", "m2": "paused"}, "Paused: m2", "stacklab unpause dev"),
        ({"m1": "exited", "m2": "paused"}, "The lab is stopped", "stacklab start dev"),
        ({"m1": "running", "m2": "running"}, "The machines run, the lab does not answer yet", "stacklab verify dev"),
    ],
)
def test_by_what_its_machines_do(states: dict[str, str], what: str, step: str) -> None:
    found = away.why("dev", REFUSED, states)
    assert found.what == what
    assert step in found.next


def test_where_nobody_tells_of_the_machines() -> None:
    found = away.why("dev", REFUSED, StacklabError("labs on ssh tell nothing"))
    assert "refused" in found.evidence
    assert "labs on ssh tell nothing" in found.evidence
    assert "pulumi refresh --stack dev" in found.next
