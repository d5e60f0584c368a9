"""inotify instances: what is held, and whether one more lab has enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from modules.local.kind.capacity import inotify_problem, inotify_used

DEV = ("master", "worker", "worker")  # 59 of them


@pytest.mark.parametrize(
    ("roles", "limit", "used", "enough"),
    [
        (DEV, 128, 0, True),
        (DEV, 128, 69, True),
        (DEV, 128, 70, False),
        (DEV, 128, 200, False),
        (DEV, 0, 99, True),
        (("master",) * 4, 128, 0, True),
        (("master",) * 5, 128, 0, False),
    ],
)
def test_enough_or_not(roles: tuple[str, ...], limit: int, used: int, enough: bool) -> None:
    assert (inotify_problem(roles, limit, used) == "") == enough


def test_the_way_out_is_named() -> None:
    assert "sysctl fs.inotify.max_user_instances=512" in inotify_problem(DEV, 128, 120)
    assert "3 machines need about 59 inotify instances, and 8 of 128 are left" in inotify_problem(DEV, 128, 120)


def test_held_ones_are_counted(tmp_path: Path) -> None:
    for process, targets in {"12": ["anon_inode:inotify", "/dev/null"], "13": ["anon_inode:inotify"] * 2}.items():
        fd = tmp_path / process / "fd"
        fd.mkdir(parents=True)
        for number, target in enumerate(targets):
            (fd / str(number)).symlink_to(target)
    (tmp_path / "14").mkdir()
    (tmp_path / "self").mkdir()
    assert inotify_used(tmp_path) == 3
