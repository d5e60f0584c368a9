"""Who runs beside whom: groups of tests, and turns that two processes take."""

from __future__ import annotations

import fcntl
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.turns import MARKS, ROOM, Turn, group


@pytest.mark.parametrize(
    ("nodeid", "expected"),
    [
        ("tests/e2e/dev_lab/test_1_story.py::test_up[a::b]", "tests/e2e/dev_lab"),
        ("tests/e2e/dev_lab/test_1_dashboard.py::test_page", "tests/e2e/dev_lab"),
        ("tests/e2e/test_5_ssh.py::test_up", "tests/e2e/test_5_ssh.py"),
        ("tests/unit/topology/test_load.py::test_a", "tests/unit/topology/test_load.py"),
    ],
)
def test_a_group_is_a_file_or_the_folder_of_a_lab(nodeid: str, expected: str) -> None:
    assert group(nodeid) == expected


@pytest.mark.parametrize(
    ("mark", "beside"),
    [("", {"", "light"}), ("light", {"", "light", "large"}), ("large", {"light"}), ("alone", set())],
)
def test_one_who_has_a_turn_leaves_room_for_some(tmp_path: Path, mark: str, beside: set[str]) -> None:
    turn = Turn(tmp_path / "turns")
    turn.take(mark)
    turn.take("alone")  # kept as it is
    assert {other for other in MARKS if has_room(tmp_path / "turns", other)} == beside
    turn.leave()
    assert all(has_room(tmp_path / "turns", other) for other in MARKS)
    turn.leave()
    turn.take("alone")
    assert not has_room(tmp_path / "turns", "light")
    turn.leave()


def has_room(folder: Path, mark: str) -> bool:
    """Whether another process would take its turn at once."""
    with ExitStack() as held:
        try:
            for name, mode in ROOM[mark].items():
                fcntl.flock(held.enter_context((folder / f"{name}.lock").open("w")), mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
