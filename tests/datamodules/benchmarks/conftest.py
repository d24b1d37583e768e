"""Fixtures of the tests in this folder."""

from tests.support.sets import own  # noqa: F401
