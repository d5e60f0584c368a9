"""The pull half of the OCI distribution API: token, manifest list, this platform's manifest, blobs.

A manifest is believed when its bytes have the digest it was asked by; the digest of a tag is computed from the bytes
and must be the one the registry says. Pulling is anonymous.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from modules.artifacts.sources import checksums
from modules.artifacts.sources.checksums import Digest
from modules.artifacts.sources.client import is_loopback
from modules.artifacts.sources.download import Progress, RefusedError, Tries, download, get_small, nothing
from modules.artifacts.sources.reference import HOSTS
from modules.base.errors import ArtifactError

LISTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
LARGEST_MANIFEST = 8 << 20


@dataclass(frozen=True)
class Manifest:
    """The bytes of a manifest or list, as the registry keeps them."""

    media_type: str
    body: bytes
    digest: Digest

    @property
    def data(self) -> dict[str, Any]:
        value = json.loads(self.body)
        if not isinstance(value, dict):
            raise ArtifactError("the registry's manifest is not an object", where=str(self.digest))
        return value

    @property
    def is_list(self) -> bool:
        """A list of images for several platforms; a registry may leave the type to the body."""
        return "manifests" in self.data

    def parts(self) -> dict[Digest, int]:
        """Configuration and layers with their sizes."""
        return {Digest.parse(p["digest"]): int(p["size"]) for p in (self.data["config"], *self.data["layers"])}


class Repository:
    """One repository, `host/path`; `host` may be a mirror's, with a path of its own in front. Threads may share it."""

    def __init__(self, client: httpx.Client, name: str, tries: Tries | None = None) -> None:
        host, _, self.path = name.partition("/")
        self.name = name
        scheme = "http" if is_loopback(_without_port(host)) else "https"
        self._base = f"{scheme}://{HOSTS.get(host, host)}"
        self._client = client
        self._tries = tries
        self._token = ""
        self._mutex = threading.Lock()

    def manifest(self, reference: str) -> Manifest:
        """The manifest or list of a tag or of `sha256:…`; its bytes are checked against the digest."""
        url = self.url("manifests", reference)
        answer = self._get(url, {"Accept": ", ".join((*LISTS, *MANIFESTS))})
        body = answer.content
        told = answer.headers.get("docker-content-digest", "")
        wanted = Digest.parse(reference if ":" in reference else told) if ":" in reference or told else None
        found = checksums.of_bytes(body, wanted.algorithm if wanted else "sha256")
        if wanted and found != wanted:
            raise ArtifactError(
                f"the manifest does not match its digest: expected {wanted}, found {found}",
                where=url,
                hint="something changed it on the way: try another network or source",
            )
        kind = answer.headers.get("content-type", "").partition(";")[0].strip()
        return Manifest(kind, body, found)

    def blob(self, digest: Digest, size: int, target: Path, progress: Progress = nothing) -> Path:
        """Bring a blob to `target`, checked, resumed where an earlier try stopped."""
        url = self.url("blobs", str(digest))

        def bring() -> Path:
            return download(
                self._client,
                url,
                target,
                expected=digest,
                size=size,
                progress=progress,
                tries=self._tries,
                headers=self._authorization(),
            )

        try:
            return bring()
        except RefusedError as error:
            if error.status != 401:
                raise
            self._sign_in(error.challenge, url)  # a token lives for minutes, a large image may take longer
            return bring()

    @property
    def greeting(self) -> str:
        """The address that every registry answers."""
        return f"{self._base}/v2/"

    def url(self, what: str, reference: str) -> str:
        return f"{self._base}/v2/{self.path}/{what}/{reference}"

    def _get(self, url: str, headers: Mapping[str, str]) -> httpx.Response:
        answer = self._ask(url, {**headers, **self._authorization()})
        if answer.status_code == 401:
            self._sign_in(answer.headers.get("www-authenticate", ""), url)
            answer = self._ask(url, {**headers, **self._authorization()})
        if answer.status_code >= 400:
            hint = "the image or its tag is not there (any more): look at it in the registry's web page"
            if answer.status_code in (401, 403):
                hint = "the registry wants a user; stacklab pulls anonymously: use a mirror that does not"
            raise ArtifactError(f"the registry answered {answer.status_code}", where=url, output=answer.text, hint=hint)
        if len(answer.content) > LARGEST_MANIFEST:
            raise ArtifactError("the registry's answer is too large for a manifest", where=url)
        return answer

    def _ask(self, url: str, headers: Mapping[str, str]) -> httpx.Response:
        return get_small(self._client, url, headers=headers, tries=self._tries)

    def _authorization(self) -> dict[str, str]:
        with self._mutex:
            return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _sign_in(self, challenge: str, url: str) -> None:
        realm, parameters = token_request(challenge, self.path, url)
        answer = get_small(self._client, str(httpx.URL(realm, params=parameters)), tries=self._tries)
        try:
            data = answer.json() if answer.status_code == 200 else {}
            token = data.get("token") or data.get("access_token") or ""
        except (ValueError, AttributeError):
            token = ""
        if not token:
            raise ArtifactError(f"the registry's token service answered {answer.status_code}, no token", where=realm)
        with self._mutex:
            self._token = token


def token_request(challenge: str, path: str, url: str) -> tuple[str, dict[str, str]]:
    """Where to ask for a token, and with which parameters, out of a WWW-Authenticate header. Pure."""
    kind, _, rest = challenge.partition(" ")
    fields = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    if kind.lower() != "bearer" or "realm" not in fields:
        raise ArtifactError(
            f"the registry asks to sign in in a way that is not known: {kind or 'nothing said'}",
            where=url,
            hint="stacklab pulls anonymously: use a mirror that lets it",
        )
    parameters = {"scope": fields.get("scope") or f"repository:{path}:pull"}
    if "service" in fields:
        parameters["service"] = fields["service"]
    return fields["realm"], parameters


def choose(index: Manifest, architecture: str, where: str) -> Digest:
    """The digest of the manifest for linux on `architecture` in a list. Pure."""
    offered = []
    for item in index.data.get("manifests", ()):
        on = item.get("platform") or {}
        if on.get("os") == "linux" and on.get("architecture") == architecture:
            return Digest.parse(item["digest"])
        offered.append(f"{on.get('os')}/{on.get('architecture')}")
    raise ArtifactError(
        f"the image is not published for linux/{architecture}", where=where, output="offered: " + ", ".join(offered)
    )


def _without_port(host: str) -> str:
    return host.rpartition(":")[0] if re.search(r":\d+$", host) else host
