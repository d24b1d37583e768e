"""Refusals of requests."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus


class RefusedError(Exception):
    """A refused request, with the status, the sentence and further headers of its answer."""

    def __init__(
        self, status: HTTPStatus, why: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(why)
        self.status, self.headers = status, headers or {}
