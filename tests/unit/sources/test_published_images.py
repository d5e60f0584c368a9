from __future__ import annotations

import json
import tarfile
from pathlib import Path

import httpx
import pytest

from modules.artifacts.sources import checksums
from modules.artifacts.sources.addresses import Mirrors
from modules.artifacts.types import Artifact
from modules.base.errors import ArtifactError
from tests.support.servers.files import FileServer
from tests.support.servers.registry import Registry, digest_of
from tests.support.servers.serving import Fault
from tests.unit.sources.cases import Catalogue, ignore, published

LAYERS = (b"first layer" * 20_000, b"second layer" * 10_000)
REPO = "calico/node"


def image(catalogue: Catalogue, registry: Registry, tag: str = "v3") -> Artifact:
    return catalogue.image(f"{registry.host}/{REPO}", tag)


def read(path: Path) -> dict[str, bytes]:
    found = {}
    with tarfile.open(path) as tar:
        for member in tar:
            data = tar.extractfile(member)
            assert data is not None
            found[member.name] = data.read()
    return found


def entries(folder: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads((folder / "artifacts.lock").read_text())["artifacts"]
    return found


@pytest.mark.parametrize("auth", [True, False])
def test_an_image_is_pulled_for_this_platform_into_one_archive(
    client: httpx.Client, tmp_path: Path, auth: bool
) -> None:
    with Registry(auth=auth) as registry:
        top = registry.push(REPO, "v3", LAYERS)
        catalogue = Catalogue()
        node = image(catalogue, registry)
        reports: list[tuple[str, int, int]] = []
        origin = published(catalogue, client, tmp_path).get(node, tmp_path / "out", lambda *r: reports.append(r))
    found = read(tmp_path / "out")
    index = json.loads(found["index.json"])["manifests"][0]
    name = f"{registry.host}/{REPO}:v3"
    assert index["annotations"] == {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name}
    manifest = json.loads(found["blobs/" + index["digest"].replace(":", "/")])
    assert json.loads(found["blobs/" + manifest["config"]["digest"].replace(":", "/")])["architecture"] == "amd64"
    assert [found["blobs/" + layer["digest"].replace(":", "/")] for layer in manifest["layers"]] == list(LAYERS)
    assert json.loads(found["manifest.json"])[0]["RepoTags"] == [name]
    assert all(digest_of(body).endswith(path[-64:]) for path, body in found.items() if path.startswith("blobs/"))
    assert (origin.url, origin.digest) == (f"docker://{name}", top)
    assert reports[-1][1] == reports[-1][2] > sum(map(len, LAYERS))
    assert [(e["id"], e["url"], f"{e['algorithm']}:{e['digest']}") for e in entries(tmp_path)] == [
        (node.id, f"docker://{name}", top)
    ]


def test_the_same_image_gives_the_same_bytes(client: httpx.Client, registry: Registry, tmp_path: Path) -> None:
    registry.push(REPO, "v3", LAYERS)
    catalogue = Catalogue()
    node = image(catalogue, registry)
    for name in ("one", "two"):
        published(catalogue, client, tmp_path).get(node, tmp_path / name, ignore)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_tag_without_a_list_of_platforms(client: httpx.Client, registry: Registry, tmp_path: Path) -> None:
    top = registry.push(REPO, "v3", LAYERS, platforms=())
    catalogue = Catalogue()
    assert (
        published(catalogue, client, tmp_path).get(image(catalogue, registry), tmp_path / "out", ignore).digest == top
    )


def test_a_platform_that_is_not_there_is_named(client: httpx.Client, registry: Registry, tmp_path: Path) -> None:
    registry.push(REPO, "v3", LAYERS, platforms=("s390x", "arm64"))
    catalogue = Catalogue()
    with pytest.raises(ArtifactError, match="not published for linux/amd64") as caught:
        published(catalogue, client, tmp_path).get(image(catalogue, registry), tmp_path / "out", ignore)
    assert "linux/s390x, linux/arm64" in caught.value.output


def test_a_tag_that_moves_is_not_followed(client: httpx.Client, registry: Registry, tmp_path: Path) -> None:
    registry.push(REPO, "v3", LAYERS)
    catalogue = Catalogue()
    node = image(catalogue, registry)
    source = published(catalogue, client, tmp_path)
    source.get(node, tmp_path / "one", ignore)
    registry.push(REPO, "v3", (b"something else",))
    source.get(node, tmp_path / "two", ignore)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("what", ["list", "manifest", "layer"])
def test_tampered_is_not_used(client: httpx.Client, registry: Registry, tmp_path: Path, what: str) -> None:
    top = registry.push(REPO, "v3", LAYERS)
    catalogue = Catalogue()
    node = image(catalogue, registry)
    index = json.loads(registry.manifests[REPO, top][1])
    source = published(catalogue, client, tmp_path)
    if what == "list":
        source.get(node, tmp_path / "first", ignore)  # from now on it is asked for by digest
        kind, body = registry.manifests[REPO, top]
        registry.manifests[REPO, top] = (kind, body + b" ")
    elif what == "manifest":
        kind, body = registry.manifests[REPO, index["manifests"][0]["digest"]]
        registry.manifests[REPO, index["manifests"][0]["digest"]] = (kind, body + b" ")
    else:
        registry.blobs[REPO, digest_of(LAYERS[1])] = LAYERS[1][:-1] + b"!"
    with pytest.raises(ArtifactError, match=r"does not match its digest: expected sha256:\w{64}, found sha256:\w{64}"):
        source.get(node, tmp_path / "out", ignore)
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "artifacts.lock").exists() == (what == "list")


def test_a_layer_that_breaks_off_is_gone_on_with(client: httpx.Client, tmp_path: Path) -> None:
    with Registry() as registry, FileServer() as cdn:
        registry.push(REPO, "v3", LAYERS)
        registry.elsewhere = cdn.url
        for (_, digest), blob in registry.blobs.items():
            cdn.put(f"/{digest}", blob)
        cdn.fail(f"/{digest_of(LAYERS[0])}", Fault(cut=100_000))
        catalogue = Catalogue()
        published(catalogue, client, tmp_path).get(image(catalogue, registry), tmp_path / "out", ignore)
        asked = [a for a in cdn.asked if a.path == f"/{digest_of(LAYERS[0])}"]
        assert [a.headers.get("range", "") for a in asked] == ["", "bytes=100000-"]
        assert not [a for a in cdn.asked if "authorization" in a.headers]  # the token is the registry's alone


def test_a_token_that_ran_out_is_renewed(client: httpx.Client, registry: Registry, tmp_path: Path) -> None:
    registry.push(REPO, "v3", LAYERS)
    layer = f"/v2/{REPO}/blobs/{digest_of(LAYERS[1])}"
    registry.expire_before(layer)
    catalogue = Catalogue()
    published(catalogue, client, tmp_path).get(image(catalogue, registry), tmp_path / "out", ignore)
    assert registry.count(layer) == 2


def test_missing_is_named(client: httpx.Client, registry: Registry, tmp_path: Path) -> None:
    registry.push(REPO, "v3", LAYERS)
    catalogue = Catalogue()
    source = published(catalogue, client, tmp_path)
    with pytest.raises(ArtifactError, match="the registry answered 404") as caught:
        source.get(image(catalogue, registry, "v9"), tmp_path / "out", ignore)
    assert caught.value.where == f"{registry.url}/v2/{REPO}/manifests/v9"
    del registry.blobs[REPO, digest_of(LAYERS[0])]
    with pytest.raises(ArtifactError, match="404"):
        source.get(image(catalogue, registry), tmp_path / "out", ignore)


def test_a_mirror_of_a_registry(client: httpx.Client, registry: Registry, tmp_path: Path) -> None:
    top = registry.push("cache/" + REPO, "v3", LAYERS)
    catalogue = Catalogue()
    node = catalogue.image(f"docker.io/{REPO}", "v3")
    mirror = published(
        catalogue, client, tmp_path, Mirrors(registries={"docker.io": f"http://{registry.host}/cache"}), name="mirror"
    )
    origin = mirror.get(node, tmp_path / "out", ignore)
    assert (origin.source, origin.digest) == ("mirror", top)
    assert json.loads(read(tmp_path / "out")["manifest.json"])[0]["RepoTags"] == [f"docker.io/{REPO}:v3"]
    assert entries(tmp_path)[0]["url"] == f"docker://docker.io/{REPO}:v3"
    assert checksums.Digest.parse(top).hex == entries(tmp_path)[0]["digest"]
