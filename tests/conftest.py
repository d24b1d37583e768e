"""Fixtures that several test files share."""

from tests.browser import browser  # noqa: F401
from tests.servers import serve  # noqa: F401
