"""Fixtures of the tests in this folder."""

from tests.support.profiles import clipstyler_batch  # noqa: F401
