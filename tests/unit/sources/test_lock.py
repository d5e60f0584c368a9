from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from modules.artifacts.lock import Entry, Lock
from modules.base.errors import ArtifactError


def entry(number: int, digest: str = "") -> Entry:
    return Entry(f"binary/b{number}@1", f"https://x/{number}", "sha256", digest or f"{number:064x}", "https://x/SUMS")


def test_an_empty_lock_knows_nothing_and_is_not_written(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "l.lock")
    assert lock.get("https://x/1") is None
    assert not lock.path.exists()


def test_the_file_is_the_same_in_whatever_order_entries_came(tmp_path: Path) -> None:
    one, other = Lock(tmp_path / "a.lock"), Lock(tmp_path / "b.lock")
    for number in (1, 2, 3):
        one.add(entry(number))
    for number in (3, 1, 2, 2):
        other.add(entry(number))
    assert one.path.read_text() == other.path.read_text()
    assert [e["id"] for e in json.loads(one.path.read_text())["artifacts"]] == [entry(n).id for n in (1, 2, 3)]


def test_an_entry_is_never_replaced(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "l.lock")
    lock.add(entry(1))
    with pytest.raises(ArtifactError, match=f"expected sha256:{1:064x}, found sha256:{'f' * 64}"):
        lock.add(entry(1, "f" * 64))
    assert lock.get("https://x/1") == entry(1)


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "l.lock"
    threads = [threading.Thread(target=lambda n=n: Lock(path).add(entry(n))) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(json.loads(path.read_text())["artifacts"]) == 40
    assert [p.name for p in tmp_path.iterdir()] == ["l.lock"]


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "1234"},
        {"algorithm": "md5"},
        {"said_by": ""},
        {"more": "x"},
    ],
)
def test_a_lock_file_that_somebody_broke_is_an_error(tmp_path: Path, change: dict[str, str]) -> None:
    lock = Lock(tmp_path / "l.lock")
    lock.add(entry(1))
    data = json.loads(lock.path.read_text())
    data["artifacts"][0].update(change)
    lock.path.write_text(json.dumps(data))
    with pytest.raises(ArtifactError, match="cannot be read"):
        lock.get("https://x/1")


def test_half_a_lock_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "l.lock"
    path.write_text('{"artifacts": [')
    with pytest.raises(ArtifactError, match="cannot be read"):
        Lock(path).get("https://x/1")
