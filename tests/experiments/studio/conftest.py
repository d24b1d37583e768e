"""Fixtures of the studio's tests."""

import pytest

from experiments.studio.worker import Worker


@pytest.fixture(scope="package")
def worker():
    """A worker whose process several tests share."""
    worker = Worker("painting")
    yield worker
    worker.close()
