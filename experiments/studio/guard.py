"""The guard around the page's app: who asks, for what, and whether it is theirs.

It is pure ASGI and knows Gradio's addresses (`routes`), but not Gradio. The app finds the session's
id in the header X-Atelier-Session of every request, which the guard sets.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from datamodules.support import web
from experiments.studio import routes
from experiments.studio.belongings import Belongings, paths
from experiments.studio.sessions import ID, Sessions
from experiments.studio.users import Users

HEADER, COOKIE = "x-atelier-session", "atelier"
LARGEST_UPLOAD = 51 * 2**20  # bytes of a request: a file of 50 MB and what surrounds it
LARGEST_BODY = 4 * 2**20  # bytes of any other request
CONTENT = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'"
)
SHOWN = ("image/png", "image/jpeg", "image/webp", "image/gif")  # others are downloads
# A visit that begins on another site brings no cookie (SameSite); the page loads itself again.
AGAIN = b'<!doctype html><meta http-equiv="refresh" content="0"><title>Atelier Studio</title>'

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class _RefusedError(Exception):
    """A refused request, with the status and the sentence of its answer."""

    def __init__(self, status: HTTPStatus, why: str, headers: Mapping[str, str] | None = None):
        super().__init__(why)
        self.status, self.headers = status, headers or {}


class Guard:
    """An ASGI app around another.

    Args:
        app: Gradio's.
        sessions: whose folders are served, each to its session alone.
        cache: the app's own folder for uploads and pictures (GRADIO_TEMP_DIR).
        public: folders that everybody may read: examples.
        origins: addresses such as https://studio.example.org by which people reach the server.
        local: whether it listens on this machine alone.
        users: who may come in; None = everybody.
    """

    def __init__(
        self,
        app: Any,
        sessions: Sessions,
        cache: Path,
        public: Iterable[Path] = (),
        origins: Iterable[str] = (),
        local: bool = True,
        users: Users | None = None,
    ) -> None:
        self.app, self.sessions, self.local, self.users = app, sessions, local, users
        self.origins: Collection[str] = web.places(origins)
        self.public = [folder.resolve() for folder in public]
        self.belongings = Belongings(cache)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            visit = Visit(scope)
            self._check_site(visit)
            self._check_user(visit)
            if not routes.exists(visit.method, visit.path):
                raise _RefusedError(HTTPStatus.NOT_FOUND, "there is nothing here")
            if visit.comes_from_elsewhere:
                await _answer(send, HTTPStatus.OK, "text/html; charset=utf-8", AGAIN)
                return
            self._check_file(visit)
            self._check_names(visit.names, visit.id)
            receive = await self._received(visit, receive)
            await self.app(visit.inner(), receive, Outgoing(self, visit, send))
        except _RefusedError as error:
            body = json.dumps({"error": str(error)}).encode()
            await _answer(send, error.status, "application/json", body, error.headers)
        except ValueError:  # an invalid address or header
            body = b'{"error": "the request is damaged"}'
            await _answer(send, HTTPStatus.BAD_REQUEST, "application/json", body)

    def _check_site(self, visit: Visit) -> None:
        host, origin = visit.headers.get("host", ""), visit.headers.get("origin")
        if why := web.foreign(host, origin, self.local, self.origins):
            raise _RefusedError(HTTPStatus.FORBIDDEN, why)

    def _check_user(self, visit: Visit) -> None:
        if self.users and not self.users.know(visit.headers.get("authorization", "")):
            ask = {"WWW-Authenticate": 'Basic realm="Atelier Studio", charset="UTF-8"'}
            raise _RefusedError(HTTPStatus.UNAUTHORIZED, "name and password, please", ask)

    def _check_file(self, visit: Visit) -> None:
        if (file := routes.FILE.fullmatch(visit.path)) and not self._may_read(
            visit.id, file["path"]
        ):
            raise _RefusedError(HTTPStatus.FORBIDDEN, "this file is not one of your session's")

    def _may_read(self, id: str, path: object) -> bool:
        """Whether a session may read a file."""
        if not isinstance(path, str) or not path.startswith("/") or "\0" in path:
            return False
        if self.belongings.has(id, path) or self.sessions.of(id).owns(path):
            return True
        return any(Path(path).resolve().is_relative_to(folder) for folder in self.public)

    def _check_names(self, names: Iterable[str], id: str) -> None:
        """Refuse Gradio's names for a page or an event of another session."""
        if not all(self.belongings.claim(id, name) for name in names):
            raise _RefusedError(HTTPStatus.FORBIDDEN, "this belongs to another session")

    async def _received(self, visit: Visit, receive: Receive) -> Receive:
        """The same request body, within limits; a JSON value names only files of the session."""
        if visit.method != "POST":
            return receive
        upload = bool(routes.UPLOAD.fullmatch(visit.path))
        limit = LARGEST_UPLOAD if upload else LARGEST_BODY
        too_large = _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "more than 50 MB")
        if int(visit.headers.get("content-length", 0)) > limit:
            raise too_large
        if upload:
            return _limited(receive, limit, too_large)
        body = await _whole(receive, limit, too_large)
        value = json.loads(body or b"null")
        if not all(self._may_read(visit.id, path) for path in paths(value)):
            raise _RefusedError(HTTPStatus.FORBIDDEN, "a file in it is not one of your session's")
        self._check_names(_names(value), visit.id)
        return _replayed(body, receive)

    def hand_out(self, visit: Visit, value: Any) -> None:
        """Note what the app hands out to a session."""
        self.belongings.hand_out(visit.id, value)
        self._check_names(_names(value), visit.id)


def _names(value: Any) -> list[str]:
    """Gradio's names for the page and the event in a JSON object."""
    if not isinstance(value, dict):
        return []
    return [value[key] for key in ("session_hash", "event_id") if isinstance(value.get(key), str)]


class Visit:
    """A request. id: of its session, a new one where `new`. Raises ValueError and refusals."""

    def __init__(self, scope: Message) -> None:
        self.scope, self.method, self.path = scope, scope["method"], scope["path"]
        pairs = [(name.decode("latin-1").lower(), value) for name, value in scope["headers"]]
        self.headers = {name: value.decode("latin-1") for name, value in pairs}
        if sum(name in ("host", "origin", HEADER) for name, _ in pairs) > len(
            self.headers.keys() & {"host", "origin", HEADER}
        ):
            raise ValueError("a header comes twice")
        given = self.headers.get(HEADER) or self._cookie()
        if given and not ID.fullmatch(given):
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "a session is 32 to 64 hexadecimal digits")
        self.new = not given
        self.id = given or secrets.token_hex(16)

    def _cookie(self) -> str:
        try:
            cookies = SimpleCookie(self.headers.get("cookie", ""))
        except CookieError as error:
            raise ValueError("the cookies are damaged") from error
        return cookies[COOKIE].value if COOKIE in cookies else ""

    @property
    def secure(self) -> bool:
        """Whether it came through https, to us or to a proxy before us."""
        return "https" in (self.scope.get("scheme"), self.headers.get("x-forwarded-proto"))

    @property
    def comes_from_elsewhere(self) -> bool:
        """Whether somebody has followed a link on another site to the page."""
        cross = self.headers.get("sec-fetch-site") == "cross-site"
        return cross and self.new and bool(routes.PAGE.fullmatch(self.path))

    @property
    def names(self) -> list[str]:
        """Gradio's names for a page in the address."""
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        beat = routes.SESSION_HASH.fullmatch(self.path)
        return query.get("session_hash", []) + ([beat["hash"]] if beat else [])

    def inner(self) -> Message:
        """The scope for the app, with the session's id in the header."""
        others = [pair for pair in self.scope["headers"] if pair[0].lower() != HEADER.encode()]
        return self.scope | {"headers": [*others, (HEADER.encode(), self.id.encode())]}


class Outgoing:
    """The `send` of a request: it adds headers, and notes which files the app hands out."""

    def __init__(self, guard: Guard, visit: Visit, send: Send) -> None:
        self.guard, self.visit, self.send = guard, visit, send
        self.looks = bool(routes.HANDS_OUT.fullmatch(visit.path))
        self.events = False
        self.rest = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message = message | {"headers": self._headers(message.get("headers", []))}
        elif message["type"] == "http.response.body" and self.looks:
            self._look(message.get("body", b""), message.get("more_body", False))
        await self.send(message)

    def _headers(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        values = {name.decode("latin-1").lower(): value for name, value in headers}
        kind = values.get("content-type", b"").decode("latin-1").partition(";")[0].strip()
        self.events = kind == "text/event-stream"
        own = _security(bool(routes.ASSETS.fullmatch(self.visit.path)))
        if routes.FILE.fullmatch(self.visit.path) and kind not in SHOWN:
            own["content-disposition"] = "attachment"
        if self.visit.new and not routes.ASSETS.fullmatch(self.visit.path):
            own["set-cookie"] = _cookie(self.visit)
        others = [pair for pair in headers if pair[0].decode("latin-1").lower() not in own]
        return others + [(name.encode(), value.encode()) for name, value in own.items()]

    def _look(self, body: bytes, more: bool) -> None:
        """Note the files in a JSON value, or in events, before they are sent."""
        self.rest += body
        if self.events:
            *lines, self.rest = self.rest.split(b"\n")
            values = [line[5:] for line in lines if line.startswith(b"data:")]
        else:
            values, self.rest = ([], self.rest) if more else ([self.rest], b"")
        for value in values:
            try:
                self.guard.hand_out(self.visit, json.loads(value))
            except ValueError:
                continue


def _cookie(visit: Visit) -> str:
    secure = "; Secure" if visit.secure else ""
    return f"{COOKIE}={visit.id}; Path=/; HttpOnly; SameSite=Strict{secure}"


def _security(asset: bool) -> dict[str, str]:
    """Headers of an answer; an asset's name changes with its contents."""
    cache = "public, max-age=31536000, immutable" if asset else "no-store"
    own = web.HEADERS | {"Content-Security-Policy": CONTENT, "Cache-Control": cache}
    return {name.lower(): value for name, value in own.items()}


async def _answer(
    send: Send,
    status: HTTPStatus,
    kind: str,
    body: bytes,
    headers: Mapping[str, str] | None = None,
) -> None:
    own = _security(asset=False) | {name.lower(): v for name, v in (headers or {}).items()}
    own |= {"content-type": kind, "content-length": str(len(body))}
    pairs = [(name.encode(), value.encode()) for name, value in own.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


def _limited(receive: Receive, limit: int, too_large: Exception) -> Receive:
    """The same, until more than `limit` bytes have come."""
    left = limit

    async def limited() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise too_large
        return message

    return limited


async def _whole(receive: Receive, limit: int, too_large: Exception) -> bytes:
    """A whole request body."""
    receive, body, more = _limited(receive, limit, too_large), b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A body that has come already; then what comes after it."""
    first = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return first.pop() if first else await receive()

    return replayed
