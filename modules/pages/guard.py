"""Who may read a page: only a browser of this machine that was given the token, and only what this server sent.

- The Host must be this server's own address: a stranger's name that was made to lead to 127.0.0.1 is refused.
- The token comes once in the address, and is a cookie from then on; it is compared in constant time.
- Nothing but GET: a page changes nothing. A page that may names the paths that take a POST; such a request must come
  from this very page: with its origin, and with a proof that the page's script holds and no other site can read.
- The policy lets a browser load styles, script and events from here and from nowhere else, and shows it in no frame.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


PROOF = "x-stacklab-proof"


@dataclass(frozen=True)
class Key:
    """What one run of a server is entered with. The token is hidden from whatever prints the key."""

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def cookie(self) -> str:
        """Browsers share cookies among all ports of a host: the port tells ours apart."""
        return f"stacklab-{self.port}"

    @property
    def place(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def url(self) -> str:
        """What a person opens."""
        return f"{self.place}?token={self.token}"

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({f"127.0.0.1:{self.port}", f"localhost:{self.port}"})

    def fits(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())

    @property
    def proof(self) -> str:
        """What a page's script sends with a POST. Made from the token, and says nothing of it."""
        return hmac.digest(self.token.encode(), b"post", "sha256").hex()

    def proves(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.proof.encode())


class Guard:
    """Around an application: what passes is answered by it, all else here."""

    def __init__(self, app: ASGIApp, key: Key, posts: Collection[str] = ()) -> None:
        self._app, self._key, self._posts = app, key, frozenset(posts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # there are no web sockets, and nothing is done at start and end

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await (self._answer(scope) or self._app)(scope, receive, with_headers)

    def _answer(self, scope: Scope) -> Response | None:
        """The answer of one who may not pass, or who came with the token; None for one who may."""
        headers = Headers(scope=scope)
        if headers.getlist("host") not in [[host] for host in self._key.hosts]:
            return _no(400, f"This page is at {self._key.place} and nowhere else.")
        if scope["method"] == "POST" and scope["path"] in self._posts:
            return self._post(headers)
        if scope["method"] != "GET":
            return _no(405, "This page can be read only.")
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        if given:
            return self._enter(given[0])
        if not self._key.fits(_cookie(headers.get("cookie", ""), self._key.cookie)):
            return _no(403, "Open the address that the command printed: it holds the token that this page asks for.")
        return None

    def _post(self, headers: Headers) -> Response | None:
        """Browsers send cookies along from other ports of this machine as well: the origin and the proof tell."""
        known = self._key.fits(_cookie(headers.get("cookie", ""), self._key.cookie))
        origin = headers.getlist("origin") == [f"http://{headers['host']}"]
        if not (known and origin and self._key.proves(headers.get(PROOF, ""))):
            return _no(403, "This did not come from the page: open the address that the command printed.")
        return None

    def _enter(self, given: str) -> Response:
        if not self._key.fits(given):
            return _no(403, "This token is of another run: open the address that the command printed last.")
        # Away from the address bar and the history. Lax, not Strict: a browser that comes from a file or from
        # another program would not send a Strict one along with this redirection.
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._key.cookie, given, httponly=True, samesite="lax")
        return answer


def _no(status: int, why: str) -> Response:
    return PlainTextResponse(f"stacklab: {why}\n", status)


def _cookie(header: str, name: str) -> str:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return found.value if found else ""
