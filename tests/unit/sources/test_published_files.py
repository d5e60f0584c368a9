from __future__ import annotations

import json
import tarfile
from pathlib import Path

import httpx
import pytest

from modules.artifacts.sources import checksums
from modules.artifacts.sources.addresses import Mirrors
from modules.artifacts.types import Artifact, Upstream
from modules.base.errors import ArtifactError
from tests.support.servers.files import FileServer
from tests.support.servers.serving import Fault
from tests.unit.sources.cases import TEXT, TOOL, TREE, Catalogue, ignore, published

BODY = b"\x7fELF" + bytes(range(256)) * 1000
PATH = "/release/v1.2.3/bin/linux/amd64/tool"


def offer(catalogue: Catalogue, server: FileServer, body: bytes = BODY, **kwargs: bytes) -> None:
    server.put_with_checksum(PATH, body, **kwargs)
    url = server.url + "/release/v{version}/bin/linux/{arch}/tool"
    catalogue.add(TOOL, Upstream(url, url + ".sha256"))


def entries(folder: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads((folder / "artifacts.lock").read_text())["artifacts"]
    return found


def get(source: object, artifact: Artifact, into: Path) -> None:
    source.get(artifact, into, ignore)  # type: ignore[attr-defined]  # any source


def test_a_binary_comes_checked_executable_and_is_locked(
    client: httpx.Client, files: FileServer, tmp_path: Path
) -> None:
    catalogue = Catalogue()
    offer(catalogue, files)
    reports: list[tuple[str, int, int]] = []
    origin = published(catalogue, client, tmp_path).get(TOOL, tmp_path / "out", lambda *r: reports.append(r))
    digest = checksums.of_bytes(BODY)
    assert (tmp_path / "out").read_bytes() == BODY
    assert (tmp_path / "out").stat().st_mode & 0o111
    assert (origin.source, origin.url, origin.digest) == ("upstream", files.url + PATH, str(digest))
    assert reports[-1] == (f"downloading from {files.host}", len(BODY), len(BODY))
    assert entries(tmp_path) == [
        {
            "id": "binary/tool@1.2.3",
            "url": files.url + PATH,
            "algorithm": "sha256",
            "digest": digest.hex,
            "said_by": files.url + PATH + ".sha256",
        }
    ]
    assert list((tmp_path / "work").iterdir()) == []


def test_once_locked_the_digest_holds_whatever_the_publisher_says(
    client: httpx.Client, files: FileServer, tmp_path: Path
) -> None:
    catalogue = Catalogue()
    offer(catalogue, files)
    source = published(catalogue, client, tmp_path)
    get(source, TOOL, tmp_path / "out")
    before = entries(tmp_path)
    offer(catalogue, files, b"another build, with a checksum file that fits it")
    with pytest.raises(ArtifactError, match=f"expected {checksums.of_bytes(BODY)}"):
        get(source, TOOL, tmp_path / "again")
    assert entries(tmp_path) == before
    assert not (tmp_path / "again").exists()


def test_tampered_is_not_used_and_not_locked(client: httpx.Client, files: FileServer, tmp_path: Path) -> None:
    catalogue = Catalogue()
    offer(catalogue, files, b"tampered", of=BODY)
    with pytest.raises(ArtifactError, match="does not match its digest"):
        get(published(catalogue, client, tmp_path), TOOL, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "artifacts.lock").exists()


def test_truncated_is_gone_on_with(client: httpx.Client, files: FileServer, tmp_path: Path) -> None:
    catalogue = Catalogue()
    offer(catalogue, files)
    files.fail(PATH, Fault(cut=100_000))
    get(published(catalogue, client, tmp_path), TOOL, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == BODY
    assert files.asked[-1].headers["range"] == "bytes=100000-"


def test_without_the_publishers_checksum_file_nothing_is_used(
    client: httpx.Client, files: FileServer, tmp_path: Path
) -> None:
    catalogue = Catalogue()
    offer(catalogue, files)
    del files.files[PATH + ".sha256"]
    with pytest.raises(ArtifactError, match="checksum file cannot be had, the server answered 404"):
        get(published(catalogue, client, tmp_path), TOOL, tmp_path / "out")
    assert files.count(PATH) == 0


def test_missing_is_named(client: httpx.Client, files: FileServer, tmp_path: Path) -> None:
    catalogue = Catalogue()
    offer(catalogue, files)
    del files.files[PATH]
    with pytest.raises(ArtifactError, match="404") as caught:
        get(published(catalogue, client, tmp_path), TOOL, tmp_path / "out")
    assert caught.value.where == files.url + PATH


def test_where_the_publisher_has_no_checksum_file_the_bytes_are_locked(
    client: httpx.Client, files: FileServer, tmp_path: Path
) -> None:
    catalogue = Catalogue()
    url = files.put("/manifest.yaml", b"kind: List\n")
    catalogue.add(TEXT, Upstream(url, ""))
    source = published(catalogue, client, tmp_path)
    get(source, TEXT, tmp_path / "out")
    assert entries(tmp_path)[0]["digest"] == checksums.of_bytes(b"kind: List\n").hex
    assert entries(tmp_path)[0]["said_by"] == f"computed from the bytes that came from {url}"
    files.put("/manifest.yaml", b"kind: Evil\n")
    with pytest.raises(ArtifactError, match="does not match"):
        get(source, TEXT, tmp_path / "again")


def test_members_of_archives_are_taken_out(client: httpx.Client, files: FileServer, tmp_path: Path) -> None:
    (tmp_path / "pulumi").mkdir()
    (tmp_path / "pulumi/pulumi").write_bytes(b"cli")
    (tmp_path / "pulumi/host").write_bytes(b"host")
    with tarfile.open(tmp_path / "p.tgz", "w:gz") as tar:
        tar.add(tmp_path / "pulumi", "pulumi")
    url, sums = files.put_with_checksum("/p-linux-x64.tar.gz", (tmp_path / "p.tgz").read_bytes())
    spelled = url.replace("x64", "{arch}")
    catalogue = Catalogue()
    catalogue.add(TOOL, Upstream(spelled, sums, member="pulumi/pulumi", arches={"amd64": "x64"}))
    catalogue.add(TREE, Upstream(spelled, sums, member="pulumi", arches={"amd64": "x64"}))
    source = published(catalogue, client, tmp_path, wanted=(TOOL, TREE))
    get(source, TOOL, tmp_path / "cli")
    get(source, TREE, tmp_path / "tree")
    assert files.count("/p-linux-x64.tar.gz") == 1  # one download for both, gone after the last
    assert list((tmp_path / "work").iterdir()) == []
    assert (tmp_path / "cli").read_bytes() == b"cli"
    assert (tmp_path / "tree/host").read_bytes() == b"host"


def test_a_mirror_has_the_same_paths_and_is_held_to_the_same_digests(
    client: httpx.Client, files: FileServer, tmp_path: Path
) -> None:
    catalogue = Catalogue()
    offer(catalogue, files)
    get(published(catalogue, client, tmp_path), TOOL, tmp_path / "out")
    with FileServer() as other:
        mirror = published(catalogue, client, tmp_path, Mirrors(binaries=other.url + "/all/"), name="mirror")
        other.put(f"/all/{files.host}{PATH}", BODY)
        origin = mirror.get(TOOL, tmp_path / "good", ignore)
        assert (origin.source, origin.url) == ("mirror", f"{other.url}/all/{files.host}{PATH}")
        other.put_with_checksum(f"/all/{files.host}{PATH}", b"evil")
        with pytest.raises(ArtifactError, match="does not match"):
            get(mirror, TOOL, tmp_path / "bad")
    assert len(entries(tmp_path)) == 1


def test_offers_what_has_an_address_here(client: httpx.Client, files: FileServer, tmp_path: Path) -> None:
    catalogue = Catalogue()
    offer(catalogue, files)
    built = catalogue.add(TREE, None)
    ours = catalogue.image("docker.io/stacklab/echo", "1", upstream=False)
    theirs = catalogue.image("docker.io/calico/node", "v3")
    upstream = published(catalogue, client, tmp_path)
    assert [upstream.offers(a) for a in (TOOL, built, ours, theirs, TEXT)] == [True, False, False, True, False]
    mirror = published(catalogue, client, tmp_path, Mirrors(registries={"docker.io": "m.example"}))
    assert [mirror.offers(a) for a in (TOOL, theirs)] == [False, True]
    with pytest.raises(ArtifactError, match="is not to be had from upstream"):
        get(upstream, built, tmp_path / "out")
