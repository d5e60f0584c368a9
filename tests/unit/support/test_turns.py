"""Who runs beside whom: groups of tests, and turns that two processes take."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from tests.support.turns import Turn, group


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


def is_free(file: Path, mode: int) -> bool:
    with file.open("w") as other:
        try:
            fcntl.flock(other, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


@pytest.mark.parametrize(("alone", "beside"), [(True, False), (False, True)])
def test_one_who_has_a_turn_leaves_room_or_not(tmp_path: Path, alone: bool, beside: bool) -> None:
    file = tmp_path / "folder" / "lock"
    turn = Turn(file)
    turn.take(alone=alone)
    turn.take(alone=not alone)  # kept as it is
    assert is_free(file, fcntl.LOCK_SH) is beside
    assert not is_free(file, fcntl.LOCK_EX)
    turn.leave()
    assert is_free(file, fcntl.LOCK_EX)
    turn.leave()
    turn.take(alone=True)
    assert not is_free(file, fcntl.LOCK_SH)
    turn.leave()
