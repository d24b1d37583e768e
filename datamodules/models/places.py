"""Repositories and URLs of the catalogue's weights, read without importing their libraries."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml


def place(name: str) -> str:
    """The repository or URL that a library has for weights; "" if the catalogue has none.

    name: as configurations have it, e.g. torchvision:vgg19.
    """
    return _places().get(name, "")


@cache
def _places() -> dict[str, str]:
    text = Path(__file__).with_name("catalogue.yaml").read_text(encoding="utf-8")
    return {entry["name"]: entry["place"] for entry in yaml.safe_load(text) if "place" in entry}
