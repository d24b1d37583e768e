"""A request to the studio: whose it is, and what it names."""

from __future__ import annotations

import secrets
from collections import Counter
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from experiments.studio import routes
from experiments.studio.refusals import RefusedError
from experiments.studio.sessions import ID

HEADER, COOKIE = "x-atelier-session", "atelier"
ONCE = ("host", "origin", "authorization", "content-length", HEADER)


class Visit:
    """A request.

    headers: by name in lower case. id: of its session, a new one where it names none (`new`).

    Raises ValueError for damaged headers, and RefusedError for a malformed session.
    """

    def __init__(self, scope: dict[str, Any]) -> None:
        self.scope, self.method, self.path = scope, scope["method"], scope["path"]
        names = Counter(name.decode("latin-1").lower() for name, _ in scope["headers"])
        if any(names[name] > 1 for name in ONCE):
            raise ValueError("a header comes twice")
        self.headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        session = self.headers.get(HEADER) or self._cookie()
        if session and not ID.fullmatch(session):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "a session is 32 to 64 hexadecimal digits")
        self.new = not session
        self.id = session or secrets.token_hex(16)

    def _cookie(self) -> str:
        try:
            cookies = SimpleCookie(self.headers.get("cookie", ""))
        except CookieError as error:
            raise ValueError("the cookies are damaged") from error
        return cookies[COOKIE].value if COOKIE in cookies else ""

    def cookie(self, framed: bool) -> str:
        """The header that gives the session to the browser. framed: in frames of other sites."""
        site = "None; Secure; Partitioned" if framed else "Strict"
        secure = "; Secure" if self.secure and not framed else ""
        return f"{COOKIE}={self.id}; Path=/; HttpOnly; SameSite={site}{secure}"

    @property
    def secure(self) -> bool:
        """Whether it came through https, to us or to a proxy before us."""
        return "https" in (self.scope.get("scheme"), self.headers.get("x-forwarded-proto"))

    @property
    def from_elsewhere(self) -> bool:
        """Whether somebody has followed a link on another site to the page, without a cookie."""
        cross = self.headers.get("sec-fetch-site") == "cross-site"
        return cross and self.new and routes.is_page(self.path)

    @property
    def names(self) -> list[str]:
        """Gradio's names for a page and an event in the address."""
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        return query.get("session_hash", []) + routes.names_in(self.path)

    def inner(self) -> dict[str, Any]:
        """The scope for the app: the session's id in the header, and readable answers asked for
        where these hand out files.
        """
        out = {HEADER} | ({"accept-encoding"} if routes.hands_out(self.path) else set())
        pairs = [p for p in self.scope["headers"] if p[0].decode("latin-1").lower() not in out]
        return self.scope | {"headers": [*pairs, (HEADER.encode(), self.id.encode())]}
