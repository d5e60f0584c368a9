"""One HTTP request as a user's curl makes it: a connection of its own, no proxy."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

BODY = 64 * 1024


@dataclass(frozen=True)
class Reply:
    """What came back. status is 0 when nothing did, and `error` says why."""

    status: int
    body: str = ""
    error: str = ""

    @property
    def pod(self) -> str:
        """The pod that answered, when the answer is stacklab/echo's."""
        try:
            data = json.loads(self.body)
        except ValueError:
            return ""
        return str(data.get("pod") or "") if isinstance(data, dict) else ""

    @property
    def shown(self) -> str:
        """For evidence."""
        return self.error or f"HTTP {self.status}"


def ask(url: str, *, host: str = "", timeout: float = 3) -> Reply:
    """GET the URL, with another Host header when one is given."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout)
    try:
        connection.request("GET", parts.path or "/", headers={"Host": host or parts.netloc, "Connection": "close"})
        answer = connection.getresponse()
        return Reply(answer.status, answer.read(BODY).decode(errors="replace"))
    except (OSError, http.client.HTTPException) as error:
        return Reply(0, error=f"{url}: {error or type(error).__name__}")
    finally:
        connection.close()


def from_line(line: Mapping[str, Any]) -> Reply:
    """A line that `echo get` printed."""
    body = line.get("body")
    text = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
    error = str(line.get("error") or "")
    return Reply(int(line.get("status") or 0), text, f"{line.get('url')}: {error}" if error else "")
