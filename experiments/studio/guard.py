"""The guard around the page's app: who asks, for what, and whether it is theirs.

It is pure ASGI and knows Gradio's addresses (`routes`), but not Gradio. The app finds the session's
id in the header X-Atelier-Session of every request, which the guard sets.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from datamodules.support import web
from experiments.studio import bodies, routes
from experiments.studio.answers import Answering, Send, answer, security
from experiments.studio.belongings import Belongings, paths
from experiments.studio.bodies import Incoming, Receive
from experiments.studio.refusals import RefusedError
from experiments.studio.sessions import Sessions
from experiments.studio.users import Users
from experiments.studio.visits import Visit

# A visit that begins on another site brings no cookie (SameSite); the page loads itself again.
AGAIN = b'<!doctype html><meta http-equiv="refresh" content="0"><title>Atelier Studio</title>'
HTML, JSON = "text/html; charset=utf-8", "application/json"


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
        ancestors: sites that may show the page in a frame, "https://huggingface.co".
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
        ancestors: Iterable[str] = (),
    ) -> None:
        self.app, self.sessions, self.local, self.users = app, sessions, local, users
        self.origins, self.ancestors = web.places(origins), tuple(ancestors)
        self.public = [folder.resolve() for folder in public]
        self.belongings = Belongings(cache)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:  # Gradio's page opens no web sockets
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        incoming = Incoming(receive)
        try:
            visit = Visit(scope)
            await self._check(visit)
            if visit.from_elsewhere:
                await answer(send, HTML, AGAIN)
            else:
                await self._pass_on(visit, incoming, send)
        except RefusedError as error:
            await incoming.discard()
            body = json.dumps({"error": str(error)}).encode()
            await answer(send, JSON, body, error.status, error.headers)
        except (ValueError, RecursionError):  # an invalid address, header or JSON
            await incoming.discard()
            body = b'{"error": "the request is damaged"}'
            await answer(send, JSON, body, HTTPStatus.BAD_REQUEST)

    async def _check(self, visit: Visit) -> None:
        """Refuse what the address and the headers of a request do not allow."""
        host, origin = visit.headers.get("host", ""), visit.headers.get("origin")
        if why := web.foreign(host, origin, self.local, self.origins):
            raise RefusedError(HTTPStatus.FORBIDDEN, why)
        await self._check_user(visit.headers.get("authorization", ""))
        if not routes.exists(visit.method, visit.path):
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is nothing here")
        file = routes.file_in(visit.path)
        if file is not None and not self._may_read(visit.id, file):
            raise RefusedError(HTTPStatus.FORBIDDEN, "this file is not one of your session's")
        self._claim(visit.id, visit.names)

    async def _check_user(self, authorization: str) -> None:
        # In a thread: a password takes a moment, and guesses must not hold up the others.
        if self.users and not await asyncio.to_thread(self.users.know, authorization):
            ask = {"WWW-Authenticate": 'Basic realm="Atelier Studio", charset="UTF-8"'}
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "name and password, please", ask)

    def _may_read(self, id: str, path: object) -> bool:
        """Whether a session may read a file."""
        if not isinstance(path, str) or not path.startswith("/") or "\0" in path:
            return False
        if self.belongings.has(id, path) or self.sessions.of(id).owns(path):
            return True
        return any(Path(path).resolve().is_relative_to(folder) for folder in self.public)

    def _claim(self, id: str, names: Iterable[str]) -> None:
        """Refuse Gradio's names for a page or an event of another session."""
        if not all(self.belongings.claim(id, name) for name in names):
            raise RefusedError(HTTPStatus.FORBIDDEN, "this belongs to another session")

    async def _pass_on(self, visit: Visit, receive: Receive, send: Send) -> None:
        headers = security(self.ancestors, visit.path)
        if visit.new and not visit.path.startswith(("/assets/", "/static/")):
            headers["set-cookie"] = visit.cookie(framed=bool(self.ancestors))

        def hand_out(value: Any) -> None:
            self.belongings.hand_out(visit.id, value)
            for name in _names(value):
                self.belongings.claim(visit.id, name)

        answering = Answering(visit.path, headers, hand_out, send)
        inner = await self._received(visit, receive, answering)
        try:
            await self.app(visit.inner(), inner, answering)
        except Exception:
            if not answering.refusal:
                raise
        if answering.refusal and not answering.started:
            raise answering.refusal

    async def _received(self, visit: Visit, receive: Receive, answering: Answering) -> Receive:
        """The same body, within limits; a JSON value names only files of the session."""
        if visit.method != "POST":
            return receive
        if routes.is_upload(visit.path):
            bodies.check_room(self.belongings.folder)
            bodies.check_length(visit.headers, bodies.LARGEST_UPLOAD)
            return bodies.limited(receive, bodies.LARGEST_UPLOAD, answering.refuse)
        bodies.check_length(visit.headers, bodies.LARGEST_BODY)
        body = await bodies.whole(receive, bodies.LARGEST_BODY)
        value = json.loads(body or b"null")
        if not all(self._may_read(visit.id, path) for path in paths(value)):
            raise RefusedError(HTTPStatus.FORBIDDEN, "a file in it is not one of your session's")
        self._claim(visit.id, _names(value))
        return bodies.replayed(body, receive)


def _names(value: Any) -> list[str]:
    """Gradio's names for the page and the event in a JSON object."""
    if not isinstance(value, dict):
        return []
    return [value[key] for key in ("session_hash", "event_id") if isinstance(value.get(key), str)]
