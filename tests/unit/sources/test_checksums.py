from __future__ import annotations

import pytest

from modules.artifacts.sources import checksums
from modules.artifacts.sources.checksums import Digest
from modules.base.errors import ArtifactError

A, B = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (A, A),  # dl.k8s.io: the digest and nothing else
        (f"{A}\n", A),
        (f"{A}  tool.tar.gz\n", A),
        (f"{A} *tool.tar.gz\n", A),
        (f"{B}  other.tar.gz\n{A}  ./dist/tool.tar.gz\n", A),
        (f"SHA256 (tool.tar.gz) = {A}\nSHA256 (other) = {B}\n", A),
        (f"# made today\n{A.upper()}  tool.tar.gz\n", A),
        ("c" * 128 + "  tool.tar.gz", "c" * 128),
    ],
)
def test_publishers_write_checksums_in_many_ways(text: str, expected: str) -> None:
    assert checksums.find(text, "tool.tar.gz", where="x").hex == expected


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no digest"),
        ("<html>not found</html>", "no digest"),
        (f"{A}  other", "no digest"),
        ("a" * 40 + "  tool.tar.gz", "no digest"),  # SHA-1 is not believed
        (f"{A}  tool.tar.gz\n{B}  tool.tar.gz", "2 different digests"),
    ],
)
def test_a_digest_is_never_guessed(text: str, what: str) -> None:
    with pytest.raises(ArtifactError, match=what):
        checksums.find(text, "tool.tar.gz", where="https://x/SHA256SUMS")


@pytest.mark.parametrize("text", ["", "sha256", "sha256:abc", "md5:" + "a" * 32, "sha256:" + "g" * 64, "sha512:" + A])
def test_only_whole_digests_parse(text: str) -> None:
    with pytest.raises(ArtifactError):
        Digest.parse(text)
