"""Versions of packages, of this one also where it runs from its source tree, not installed."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "pyproject.toml"


def own_version() -> str:
    """Atelier's version, by its installation or else by the source tree that runs."""
    try:
        return version("atelier")
    except PackageNotFoundError:
        return tomllib.loads(SOURCE.read_text(encoding="utf-8"))["project"]["version"]
