"""Bodies of requests, within limits."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from experiments.studio.refusals import RefusedError

LARGEST_UPLOAD = 51 * 2**20  # bytes of a request: a file of 50 MB and what surrounds it
LARGEST_BODY = 2**20  # bytes of any other request
ROOM = 2 * 2**30  # bytes of the disk that uploads leave for the runs
DISCARDED = 2**28  # bytes of a refused body that are read: many clients answer only afterwards

Receive = Callable[[], Awaitable[dict[str, Any]]]


class Incoming:
    """The `receive` of a request. ended: whether its body has come as a whole."""

    def __init__(self, receive: Receive) -> None:
        self.receive, self.ended = receive, False

    async def __call__(self) -> dict[str, Any]:
        message = await self.receive()
        self.ended = self.ended or not message.get("more_body", False)
        return message

    async def discard(self) -> None:
        """Read what comes still, as far as that is reasonable."""
        left = DISCARDED
        while not self.ended and left > 0:
            left -= len((await self()).get("body", b""))


def too_large(limit: int) -> RefusedError:
    """The refusal of a body with more bytes."""
    why = f"more than {(limit - 1) // 2**20 or 1} MB; scale the picture down first"
    return RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, why)


def check_length(headers: dict[str, str], limit: int) -> None:
    """Refuse a body that says it is too large; ValueError for a length that is no number."""
    if int(headers.get("content-length", 0)) > limit:
        raise too_large(limit)


def check_room(folder: Path) -> None:
    """Refuse an upload where the disk is nearly full."""
    if shutil.disk_usage(folder).free < ROOM:
        why = "the server's disk is nearly full; try again later"
        raise RefusedError(HTTPStatus.INSUFFICIENT_STORAGE, why)


def limited(receive: Receive, limit: int, refuse: Callable[[RefusedError], None]) -> Receive:
    """The same, until more bytes have come: then `refuse` hears of it, and the body breaks off."""
    left = limit

    async def next_message() -> dict[str, Any]:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            refuse(too_large(limit))
            return {"type": "http.disconnect"}
        return message

    return next_message


async def whole(receive: Receive, limit: int) -> bytes:
    """A whole body; RefusedError where it is too large."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            raise too_large(limit)
    return bytes(body)


def replayed(body: bytes, receive: Receive) -> Receive:
    """A body that has come already; then what comes after it."""
    first = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> dict[str, Any]:
        return first.pop() if first else await receive()

    return next_message
