"""Fixtures that several test files share."""

from tests.servers import serve  # noqa: F401
