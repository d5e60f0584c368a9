"""The table of a class while it is made."""

from __future__ import annotations

from modules.classroom.board import Board
from modules.classroom.phases import MACHINES, Progress


def test_who_is_followed_shows_the_phase_and_since_when() -> None:
    board = Board({"s01": {}, "s02": {}})
    progress = Progress(100.0, removing=True)
    tell = board.follow("s02", progress)
    progress.before("stacklab:index:App", 107.0)
    tell()
    assert [(entry.id, entry.phase, entry.since) for entry in board.entries()] == [
        ("s01", "", 0.0),
        ("s02", MACHINES, 107.0),
    ]
