from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from modules.artifacts.sources import checksums
from modules.artifacts.sources.client import open_client
from modules.artifacts.sources.download import Tries, download
from modules.base.errors import ArtifactError
from tests.support.servers.files import FileServer
from tests.support.servers.serving import Fault
from tests.unit.sources.conftest import QUICK

BODY = bytes(range(256)) * 4000
DIGEST = checksums.of_bytes(BODY)


def ranges(server: FileServer) -> list[str]:
    return [a.headers.get("range", "") for a in server.asked]


def left(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_file_comes_whole_with_its_progress(client: httpx.Client, files: FileServer, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    url = files.put("/f", BODY)
    download(client, url, tmp_path / "f", expected=DIGEST, progress=lambda done, total: seen.append((done, total)))
    assert (tmp_path / "f").read_bytes() == BODY
    assert left(tmp_path) == ["f"]
    assert seen[0] == (0, len(BODY))
    assert seen[-1] == (len(BODY), len(BODY))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_what_is_there_is_not_asked_for_again(client: httpx.Client, files: FileServer, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(BODY)
    download(client, files.put("/f", BODY), tmp_path / "f", expected=DIGEST)
    assert files.asked == []


def test_a_truncated_download_goes_on_where_it_stopped(client: httpx.Client, files: FileServer, tmp_path: Path) -> None:
    files.fail("/f", Fault(cut=600_000), Fault(cut=200_000))
    download(client, files.put("/f", BODY), tmp_path / "f", expected=DIGEST, tries=QUICK)
    assert (tmp_path / "f").read_bytes() == BODY
    assert ranges(files) == ["", "bytes=600000-", "bytes=800000-"]


def test_without_ranges_it_starts_again(client: httpx.Client, tmp_path: Path) -> None:
    with FileServer(ranges=False) as files:
        files.fail("/f", Fault(cut=600_000))
        download(client, files.put("/f", BODY), tmp_path / "f", expected=DIGEST, size=len(BODY), tries=QUICK)
        assert (tmp_path / "f").read_bytes() == BODY
        assert files.count("/f") == 2


def test_a_later_run_goes_on_with_the_part_of_an_earlier_one(
    client: httpx.Client, files: FileServer, tmp_path: Path
) -> None:
    url = files.put("/f", BODY)
    files.fail("/f", Fault(cut=600_000))
    with pytest.raises(ArtifactError, match="run the same command again"):
        download(client, url, tmp_path / "f", expected=DIGEST, tries=Tries(most=1))
    assert not (tmp_path / "f").exists()
    with open_client() as another:
        download(another, url, tmp_path / "f", expected=DIGEST, tries=QUICK)
    assert ranges(files) == ["", "bytes=600000-"]
    assert left(tmp_path) == ["f"]


def test_a_file_that_changed_meanwhile_is_taken_anew(client: httpx.Client, files: FileServer, tmp_path: Path) -> None:
    url = files.put("/f", b"old" * 300_000)
    files.fail("/f", Fault(cut=600_000))
    with pytest.raises(ArtifactError):
        download(client, url, tmp_path / "f", tries=Tries(most=1))
    files.put("/f", BODY)
    download(client, url, tmp_path / "f", expected=DIGEST, tries=QUICK)
    assert (tmp_path / "f").read_bytes() == BODY
    assert ranges(files) == ["", "bytes=600000-"]  # one answer: If-Range made the server send it all


def test_the_part_of_another_address_is_not_gone_on_with(
    client: httpx.Client, files: FileServer, tmp_path: Path
) -> None:
    files.etag = "1"
    files.fail("/old", Fault(cut=600_000))
    with pytest.raises(ArtifactError):
        download(client, files.put("/old", BODY), tmp_path / "f", tries=Tries(most=1))
    download(client, files.put("/new", BODY[::-1]), tmp_path / "f", tries=QUICK)
    assert (tmp_path / "f").read_bytes() == BODY[::-1]


def test_a_part_that_is_the_whole_file_is_enough(client: httpx.Client, files: FileServer, tmp_path: Path) -> None:
    url = files.put("/f", BODY)
    files.fail("/f", Fault(cut=600_000))
    with pytest.raises(ArtifactError):
        download(client, url, tmp_path / "f", tries=Tries(most=1))
    (tmp_path / "f.part").write_bytes(BODY)
    download(client, url, tmp_path / "f", expected=DIGEST, tries=QUICK)
    assert files.count("/f") == 2


def test_a_tampered_download_is_deleted_and_named(client: httpx.Client, files: FileServer, tmp_path: Path) -> None:
    bad = BODY[:-1] + b"!"
    url = files.put("/f", bad)
    with pytest.raises(ArtifactError) as caught:
        download(client, url, tmp_path / "f", expected=DIGEST, tries=QUICK)
    assert str(DIGEST) in str(caught.value)
    assert str(checksums.of_bytes(bad)) in str(caught.value)
    assert caught.value.where == url
    assert left(tmp_path) == []


def test_missing_is_told_at_once(client: httpx.Client, files: FileServer, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="404"):
        download(client, files.url + "/none", tmp_path / "f", tries=QUICK)
    assert files.count("/none") == 1
    assert left(tmp_path) == []


def test_a_server_in_trouble_is_asked_a_few_times(client: httpx.Client, files: FileServer, tmp_path: Path) -> None:
    files.fail("/f", Fault(status=503), Fault(status=429))
    download(client, files.put("/f", BODY), tmp_path / "f", expected=DIGEST, tries=QUICK)
    assert files.count("/f") == 3
    files.fail("/g", *[Fault(status=503)] * 9)
    with pytest.raises(ArtifactError, match="failed 3 times"):
        download(client, files.put("/g", BODY), tmp_path / "g", tries=QUICK)
    assert files.count("/g") == 3


def test_a_server_that_says_nothing_is_given_up(files: FileServer, tmp_path: Path) -> None:
    files.fail("/f", Fault(stall=30), Fault(stall=30))
    with open_client(idle=0.1) as impatient, pytest.raises(ArtifactError, match="failed 2 times"):
        download(impatient, files.put("/f", BODY), tmp_path / "f", tries=Tries(most=2, first_pause=0.01))


def test_the_size_that_a_manifest_says_is_held(client: httpx.Client, files: FileServer, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=f"{len(BODY)} of 7 bytes"):
        download(client, files.put("/f", BODY), tmp_path / "f", size=7, tries=QUICK)
    assert left(tmp_path) == []


def test_plain_http_is_for_loopback_alone(client: httpx.Client, files: FileServer, tmp_path: Path) -> None:
    files.redirects["/f"] = "http://mirror.invalid/f"
    for url in ("http://mirror.invalid/f", files.url + "/f"):
        with pytest.raises(ArtifactError, match="not https"):
            download(client, url, tmp_path / "f", tries=QUICK)


def test_pauses_grow_and_end() -> None:
    assert [Tries().pause(n) for n in (1, 2, 3, 10)] == [0.5, 1.0, 2.0, 15.0]
    assert Tries().pause(1, asked=3600) == 15.0
