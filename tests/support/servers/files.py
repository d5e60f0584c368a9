"""A publisher's download server: files with ETags and byte ranges, which can also be changed under way."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from tests.support.servers.serving import Answer, Asked, Server


class FileServer(Server):
    """Serves `files`; `ranges=False` makes it one that ignores Range; `redirects` sends paths elsewhere."""

    def __init__(self, *, ranges: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ranges = ranges
        self.etag = ""  # one for all files, as careless servers have it
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}

    def put(self, path: str, body: bytes) -> str:
        """Serve `body` at `path`; returns the URL."""
        self.files[path] = body
        return self.url + path

    def put_with_checksum(self, path: str, body: bytes, *, of: bytes | None = None) -> tuple[str, str]:
        """Serve `body` and, beside it, a `.sha256` file made of it (or of `of`: a tampered download)."""
        digest = hashlib.sha256(body if of is None else of).hexdigest()
        name = path.rsplit("/", 1)[1]
        return self.put(path, body), self.put(path + ".sha256", f"{digest}  {name}\n".encode())

    def answer(self, asked: Asked) -> Answer:
        if asked.path in self.redirects:
            return Answer(302, headers={"Location": self.redirects[asked.path]})
        body = self.files.get(asked.path)
        if body is None:
            return Answer(404, b"nothing here\n")
        etag = f'"{self.etag or hashlib.sha256(body).hexdigest()[:16]}"'
        headers = {"ETag": etag, "Accept-Ranges": "bytes" if self.ranges else "none"}
        wanted = re.fullmatch(r"bytes=(\d+)-", asked.headers.get("range", ""))
        if not (self.ranges and wanted) or asked.headers.get("if-range", etag) != etag:
            return Answer(200, body, headers)
        start = int(wanted[1])
        if start >= len(body):
            return Answer(416, headers={**headers, "Content-Range": f"bytes */{len(body)}"})
        return Answer(206, body[start:], {**headers, "Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"})
