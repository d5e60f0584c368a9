"""The one way out to HTTP: TLS always verified, proxies as the environment says, plain http to loopback alone."""

from __future__ import annotations

import ipaddress

import httpx

from modules.base.errors import ArtifactError

CONNECT = 10.0
IDLE = 30.0


def open_client(*, connect: float = CONNECT, idle: float = IDLE) -> httpx.Client:
    """A client that threads may share. `idle` is how long a server may send nothing."""
    return httpx.Client(
        follow_redirects=True,
        timeout=httpx.Timeout(idle, connect=connect),
        limits=httpx.Limits(max_connections=32),
        headers={"User-Agent": "stacklab", "Accept-Encoding": "identity"},
        event_hooks={"request": [_only_safe]},
    )


def is_loopback(host: str) -> bool:
    """True for localhost and 127.0.0.0/8 and ::1; `host` has no port."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _only_safe(request: httpx.Request) -> None:
    # Called for redirects too: an https address must not lead to a plain one.
    if request.url.scheme != "https" and not is_loopback(request.url.host):
        raise ArtifactError(
            f"{request.url} is not https", where=str(request.url), hint="give the mirror's https address"
        )
