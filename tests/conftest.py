"""Fixtures that several test files share."""

import pytest

from tests.browser import browser  # noqa: F401
from tests.servers import serve  # noqa: F401


@pytest.fixture
def no_network(tmp_path, monkeypatch):
    """Empty caches, and no connection: a try is a failure of the test."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path / "atelier"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))

    def refuse(*args, **kwargs):
        raise AssertionError("a connection was tried")

    monkeypatch.setattr("socket.create_connection", refuse)
