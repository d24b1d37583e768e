"""Answers of the studio: their headers, and the files that they hand out."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from datamodules.support import web
from experiments.studio import routes
from experiments.studio.refusals import RefusedError

CONTENT = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self' blob:; base-uri 'self'; form-action 'self'; "
    "frame-ancestors "
)
SHOWN = ("image/png", "image/jpeg", "image/webp", "image/gif")  # others are downloads
CONFIG = b"window.gradio_config = "  # in the page, before a JSON object

Send = Callable[[dict[str, Any]], Awaitable[None]]


def security(ancestors: Iterable[str] = (), path: str = "") -> dict[str, str]:
    """Headers of every answer. ancestors: sites that may show the page in a frame."""
    cache = "no-store"
    if path.startswith("/static/"):
        cache = "no-cache"
    if routes.is_asset(path):  # its name changes with its contents
        cache = "public, max-age=31536000, immutable"
    own_page = "'self'" if routes.is_report(path) else "'none'"
    content = CONTENT + (" ".join(ancestors) or own_page)
    own = web.HEADERS | {"Content-Security-Policy": content, "Cache-Control": cache}
    return {name.lower(): value for name, value in own.items()}


async def answer(
    send: Send,
    kind: str,
    body: bytes,
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Send a whole answer."""
    own = security() | {name.lower(): value for name, value in (headers or {}).items()}
    own |= {"content-type": kind, "content-length": str(len(body))}
    pairs = [(name.encode(), value.encode()) for name, value in own.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


class Answering:
    """The `send` of a request: it adds headers, and notes what the app hands out.

    headers: for every answer. hand_out: hears of each JSON value in it before it is sent.

    Attributes:
        started: whether the answer has begun.
        refusal: once set, the app's answer is dropped unless it has begun.
    """

    def __init__(
        self, path: str, headers: Mapping[str, str], hand_out: Callable[[Any], None], send: Send
    ) -> None:
        self.path, self.headers, self.hand_out, self.send = path, headers, hand_out, send
        self.started = False
        self.refusal: RefusedError | None = None
        self._looks = routes.hands_out(path)
        self._kind = ""
        self._rest = b""

    def refuse(self, refusal: RefusedError) -> None:
        """Note that the guard answers instead of the app."""
        self.refusal = refusal

    async def __call__(self, message: dict[str, Any]) -> None:
        if self.refusal and not self.started:
            return
        if message["type"] == "http.response.start":
            self.started = True
            message = message | {"headers": self._headers(message.get("headers", ()))}
        elif message["type"] == "http.response.body" and self._looks:
            for value in self._values(message.get("body", b""), message.get("more_body", False)):
                self.hand_out(value)
        await self.send(message)

    def _headers(self, pairs: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        texts = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in pairs]
        values = dict(texts)
        self._kind = values.get("content-type", "").partition(";")[0].strip()
        own = dict(self.headers)
        if routes.file_in(self.path) is not None and self._kind not in SHOWN:
            name = values.get("content-disposition", "").partition(";")[2]
            own["content-disposition"] = f"attachment;{name}" if name else "attachment"
        others = [(name, value) for name, value in texts if name not in own]
        return [(n.encode("latin-1"), v.encode("latin-1")) for n, v in [*others, *own.items()]]

    def _values(self, body: bytes, more: bool) -> Iterator[Any]:
        """JSON values that are complete now: of events, of the page, or the whole answer."""
        self._rest += body
        if self._kind == "text/event-stream":
            *lines, self._rest = self._rest.split(b"\n")
            parts = [line.removeprefix(b"data:") for line in lines if line.startswith(b"data:")]
        elif more:
            return
        else:
            parts, self._rest = [self._rest.partition(CONFIG)[2] or self._rest], b""
        for part in parts:
            try:
                value, _ = json.JSONDecoder().raw_decode(part.decode(errors="replace").lstrip())
            except (ValueError, RecursionError):
                continue
            yield value
