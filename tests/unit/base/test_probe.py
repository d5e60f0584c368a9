"""Waiting with a deadline and evidence."""

from __future__ import annotations

import pytest

from modules.base.errors import ProbeTimeoutError, StacklabError
from modules.base.probe import Answer, pause, wait_for


def test_the_value_is_returned_as_soon_as_it_is_there() -> None:
    answers = iter([Answer[int](None, "starting"), Answer(7)])
    assert wait_for("the answer", lambda: next(answers), timeout=5, every=0) == 7


def test_a_late_condition_fails_with_the_last_evidence() -> None:
    with pytest.raises(ProbeTimeoutError) as caught:
        wait_for("nodes are ready", lambda: Answer[int](None, "worker-1 NotReady"), timeout=0, where="lab dev")
    assert "lab dev: nodes are ready: not so after 0 s" in str(caught.value)
    assert "worker-1 NotReady" in str(caught.value)


def test_an_error_of_ours_means_not_yet() -> None:
    seen: list[int] = []

    def look() -> Answer[str]:
        seen.append(1)
        if len(seen) == 1:
            raise StacklabError("connection refused")
        return Answer("up")

    assert wait_for("the API answers", look, timeout=5, every=0) == "up"


def test_other_errors_are_not_swallowed() -> None:
    def look() -> Answer[str]:
        raise KeyError("a mistake of ours")

    with pytest.raises(KeyError):
        wait_for("anything", look, timeout=5)


@pytest.mark.parametrize(
    ("waited", "every", "slowest", "seconds"),
    [(0, 0.5, 5, 0.5), (20, 0.5, 5, 2), (600, 0.5, 5, 5), (600, 0.5, 0, 0.5), (600, 8, 5, 8)],
)
def test_who_has_waited_long_asks_rarely(waited: float, every: float, slowest: float, seconds: float) -> None:
    assert pause(waited, every, slowest) == seconds
