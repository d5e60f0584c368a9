"""A small image registry: the pull half of the OCI distribution API, with token sign-in and several platforms."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from tests.support.servers.serving import Answer, Asked, Server

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
TOKEN = "a-token-for-"  # noqa: S105 - a test's own


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Registry(Server):
    """With `auth` every pull needs a token of its own repository; `blobs` and `manifests` are keyed by repo, digest."""

    def __init__(self, *, auth: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.auth = auth
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.blobs: dict[tuple[str, str], bytes] = {}
        self._expires: set[str] = set()
        self.elsewhere: str = ""  # blobs are redirected to <elsewhere>/<digest>, as registries with a CDN do

    def expire_before(self, path: str) -> None:
        """The next request for `path` is refused as if its token had run out."""
        self._expires.add(path)

    def push(
        self, repo: str, tag: str, layers: Sequence[bytes], *, platforms: Sequence[str] = ("amd64", "arm64")
    ) -> str:
        """An index of one image a platform; without platforms the tag is a plain manifest. Returns its digest."""
        made = [self._image(repo, layers, arch) for arch in platforms or ("amd64",)]
        if not platforms:
            body, kind = self.manifests[repo, str(made[0]["digest"])][1], MANIFEST
        else:
            index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": made}
            body, kind = json.dumps(index).encode(), INDEX
        for name in (tag, digest_of(body)):
            self.manifests[repo, name] = (kind, body)
        return digest_of(body)

    def _image(self, repo: str, layers: Sequence[bytes], arch: str) -> dict[str, Any]:
        config = json.dumps(
            {"architecture": arch, "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
        ).encode()
        for blob in (config, *layers):
            self.blobs[repo, digest_of(blob)] = blob
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)},
            "layers": [{"mediaType": LAYER, "digest": digest_of(b), "size": len(b)} for b in layers],
        }
        body = json.dumps(manifest).encode()
        self.manifests[repo, digest_of(body)] = (MANIFEST, body)
        return {
            "mediaType": MANIFEST,
            "digest": digest_of(body),
            "size": len(body),
            "platform": {"os": "linux", "architecture": arch},
        }

    def answer(self, asked: Asked) -> Answer:
        token = re.fullmatch(r"/token\?.*scope=repository(?:%3A|:)(.+)(?:%3A|:)pull.*", asked.path)
        if token:
            return _json(200, {"token": TOKEN + token[1].replace("%2F", "/")})
        if asked.path == "/v2/":
            return Answer(401 if self.auth else 200)
        found = re.fullmatch(r"/v2/(.+)/(manifests|blobs)/([^/]+)", asked.path)
        if not found:
            return Answer(404)
        repo, what, name = found.groups()
        expired = asked.path in self._expires
        self._expires.discard(asked.path)
        if self.auth and (expired or asked.headers.get("authorization") != f"Bearer {TOKEN}{repo}"):
            scope = f"repository:{repo}:pull"
            challenge = f'Bearer realm="{self.url}/token",service="test.registry",scope="{scope}"'
            return Answer(401, b"{}", {"WWW-Authenticate": challenge})
        return self._manifest(repo, name) if what == "manifests" else self._blob(repo, name)

    def _manifest(self, repo: str, name: str) -> Answer:
        kind, body = self.manifests.get((repo, name), ("", b""))
        if not body:
            return _json(404, {"errors": [{"code": "MANIFEST_UNKNOWN"}]})
        digest = name if name.startswith("sha256:") else digest_of(body)
        return Answer(200, body, {"Content-Type": kind, "Docker-Content-Digest": digest})

    def _blob(self, repo: str, digest: str) -> Answer:
        body = self.blobs.get((repo, digest))
        if body is None:
            return _json(404, {"errors": [{"code": "BLOB_UNKNOWN"}]})
        if self.elsewhere:
            return Answer(307, headers={"Location": f"{self.elsewhere}/{digest}"})
        return Answer(200, body, {"Content-Type": "application/octet-stream"})


def _json(status: int, value: object) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})
