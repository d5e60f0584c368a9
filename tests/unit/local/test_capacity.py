"""inotify instances: what is held, and whether one more lab has enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from modules.local.kind.capacity import inotify_problem, inotify_used


@pytest.mark.parametrize(
    ("machines", "limit", "used", "enough"),
    [
        (3, 128, 0, True),
        (3, 128, 98, True),
        (3, 128, 99, False),
        (3, 128, 200, False),
        (3, 0, 99, True),
        (30, 128, 0, False),
    ],
)
def test_enough_or_not(machines: int, limit: int, used: int, enough: bool) -> None:
    assert (inotify_problem(machines, limit, used) == "") == enough


def test_the_way_out_is_named() -> None:
    assert "sysctl fs.inotify.max_user_instances=512" in inotify_problem(3, 128, 120)
    assert "8 of 128 are left" in inotify_problem(3, 128, 120)


def test_held_ones_are_counted(tmp_path: Path) -> None:
    for process, targets in {"12": ["anon_inode:inotify", "/dev/null"], "13": ["anon_inode:inotify"] * 2}.items():
        fd = tmp_path / process / "fd"
        fd.mkdir(parents=True)
        for number, target in enumerate(targets):
            (fd / str(number)).symlink_to(target)
    (tmp_path / "14").mkdir()
    (tmp_path / "self").mkdir()
    assert inotify_used(tmp_path) == 3
