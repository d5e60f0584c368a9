"""Control groups of containers that are gone: found by the whole id, on both versions, and nobody else's touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from modules.host import cgroups

OURS, OTHER = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    "group",
    [
        f"memory/libpod_parent/libpod-{OURS}",
        f"pids/docker/{OURS}",
        f"machine.slice/libpod-{OURS}.scope",
        f"systemd/system.slice/docker-{OURS}.scope",
    ],
)
def test_groups_of_a_container_that_is_gone_are_removed(tmp_path: Path, group: str) -> None:
    inside = tmp_path / group / "kubelet" / "kubepods" / "pod1"
    strangers = (tmp_path / group.replace(OURS, OTHER), tmp_path / "memory" / "kubepods")
    for folder in (inside, *strangers):
        folder.mkdir(parents=True)
    cgroups.remove([OURS], tmp_path)
    assert not (tmp_path / group).exists()
    assert all(folder.is_dir() for folder in strangers)
    cgroups.remove([OURS], tmp_path)


def test_a_group_that_is_in_use_stays(tmp_path: Path) -> None:
    """The kernel refuses; here a file stands for its refusal."""
    group = tmp_path / "memory" / f"libpod-{OURS}"
    (group / "inner").mkdir(parents=True)
    (group / "busy").touch()
    cgroups.remove([OURS], tmp_path)
    assert [one.name for one in group.iterdir()] == ["busy"]


@pytest.mark.parametrize("ids", [[], [""], [OURS[:12]], ["libpod"]])
def test_nothing_is_found_without_a_whole_id(tmp_path: Path, ids: list[str]) -> None:
    (tmp_path / "memory" / f"libpod-{OURS}").mkdir(parents=True)
    assert list(cgroups.left(ids, tmp_path)) == []
