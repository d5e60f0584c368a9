from __future__ import annotations

import pytest

from modules.artifacts.sources import reference
from modules.artifacts.sources.addresses import Mirrors, Publishers
from modules.artifacts.sources.registry import token_request
from modules.base.errors import ArtifactError


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("traefik:v3.6.12", "docker.io/library/traefik:v3.6.12"),
        ("calico/node:v3.28.5", "docker.io/calico/node:v3.28.5"),
        ("docker.io/traefik", "docker.io/library/traefik:latest"),
        ("registry.k8s.io/coredns/coredns:v1.14.2", "registry.k8s.io/coredns/coredns:v1.14.2"),
        ("localhost/a:1", "localhost/a:1"),
        ("127.0.0.1:5000/a/b:1", "127.0.0.1:5000/a/b:1"),
    ],
)
def test_short_names_are_filled_in_as_engines_do(text: str, full: str) -> None:
    assert str(reference.parse(text)) == full


@pytest.mark.parametrize("text", ["", "a/../b:1", "UPPER:1", "a:b:c", "a@sha256:1"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ArtifactError, match="not the name of an image"):
        reference.parse(text)


@pytest.mark.parametrize(
    ("image", "mirrors", "expected"),
    [
        ("registry.k8s.io/pause:3", Mirrors(images="m.example/google"), "m.example/google/pause"),
        ("registry.k8s.io/coredns/coredns:v1", Mirrors(images="https://m.example/google/"), "m.example/google/coredns"),
        ("docker.io/calico/node:v3", Mirrors(images="m.example/google"), None),
        ("docker.io/calico/node:v3", Mirrors(registries={"docker.io": "https://m.example/"}), "m.example/calico/node"),
        ("registry.k8s.io/a/b:3", Mirrors(images="m.x", registries={"registry.k8s.io": "other.x"}), "other.x/a/b"),
        ("quay.io/metallb/speaker:v0", Mirrors(binaries="https://m.example"), None),
    ],
)
def test_a_mirror_keeps_the_paths(image: str, mirrors: Mirrors, expected: str | None) -> None:
    assert mirrors.repository(reference.parse(image)) == expected


def test_a_mirror_of_binaries_has_the_host_in_front() -> None:
    url = "https://dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubelet"
    assert Mirrors(binaries="https://m.example/b/").file(url) == "https://m.example/b/" + url.removeprefix("https://")
    assert Mirrors(images="m.example").file(url) is None
    assert Publishers().file(url) == url
    assert not Mirrors()


def test_where_a_registry_sends_one_for_a_token() -> None:
    challenge = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'
    assert token_request(challenge, "calico/node", "x") == (
        "https://auth.docker.io/token",
        {"scope": "repository:calico/node:pull", "service": "registry.docker.io"},
    )
    asked = token_request('Bearer realm="https://x/t",scope="repository:mirror/node:pull"', "calico/node", "x")
    assert asked == ("https://x/t", {"scope": "repository:mirror/node:pull"})
    for unknown in ("", 'Basic realm="x"', "Bearer nothing"):
        with pytest.raises(ArtifactError, match="sign in"):
            token_request(unknown, "a", "https://x/v2/")
