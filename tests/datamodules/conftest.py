"""Fixtures of the tests in this folder."""

from tests.support.segmenter_files import vit_file  # noqa: F401
