"""Fixtures of the tests in this folder."""

from tests.support.network_metrics import (
    backbones,  # noqa: F401
    pair,  # noqa: F401
    photo,  # noqa: F401
)
