"""Helpers of the tests of methods."""

import pytest

MODES = pytest.mark.parametrize("mode", ["paper", "reference"])
