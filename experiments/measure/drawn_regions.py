"""Phrases and the regions that they name, drawn by hand as outlines on pictures of packages.

The format is explained in the manifests, datamodules/benchmarks/masks/phrases.yaml and cases.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image, ImageDraw
from torch import Tensor

from datamodules.images import load_picture, to_tensor

FOLDER = Path(__file__).parents[2] / "datamodules" / "benchmarks" / "masks"
CASES = "cases:"  # prefix of pictures in a folder of the user's, and of masks beside them


@dataclass(frozen=True)
class PhraseCase:
    """Phrase about a picture: content (3, H, W) in [0, 1], truth (H, W) of 0 and 1.

    The truth is all 0 if the phrase names nothing in the picture.
    """

    picture: str
    split: str
    phrase: str
    content: Tensor
    truth: Tensor

    @property
    def absent(self) -> bool:
        return not self.truth.any()


@dataclass(frozen=True)
class DrawnPictures:
    """Pictures of a manifest with their regions.

    Args:
        manifest: file name in the folder of masks.
        cases: folder with images/ and masks/, for pictures that are not in packages.
    """

    manifest: str
    cases: Path | None = None
    _loaded: dict[str, Image.Image] = field(default_factory=dict)

    @cached_property
    def entries(self) -> dict[str, dict[str, Any]]:
        text = (FOLDER / self.manifest).read_text(encoding="utf-8")
        return yaml.safe_load(text)["pictures"]

    def phrases(self, split: str) -> Iterator[PhraseCase]:
        """Cases of a split."""
        for name, entry in self.entries.items():
            if entry["split"] != split:
                continue
            content = to_tensor(self.picture(name))
            nothing = torch.zeros(content.shape[1:])
            for phrase, region in entry["present"].items():
                truth = torch.from_numpy(self.region(name, region)).float()
                yield PhraseCase(name, split, phrase, content, truth)
            for phrase in entry["absent"]:
                yield PhraseCase(name, split, phrase, content, nothing)

    def picture(self, name: str) -> Image.Image:
        """Picture of the manifest, RGB: a file, a crop, or pictures side by side."""
        if name not in self._loaded:
            self._loaded[name] = self._compose(name)
        return self._loaded[name]

    def region(self, name: str, region: str) -> np.ndarray:
        """Region of a picture, bool (H, W); `region` is PICTURE.REGION in a crop or composition."""
        entry, (origin, _, part) = self.entries[name], region.rpartition(".")
        if "crop" in entry:
            whole = self.region(origin, part)
            left, top, right, bottom = _box(entry["crop"][1:], whole.shape)
            return whole[top:bottom, left:right]
        if "beside" in entry:
            masks = [
                _resized(self.region(each, part), self._side(name, each).size)
                if each == origin
                else np.zeros(self._side(name, each).size[::-1], bool)
                for each in entry["beside"]
            ]
            return np.concatenate(masks, 1)
        return self._drawn(name, entry["regions"][region])

    def _compose(self, name: str) -> Image.Image:
        entry = self.entries[name]
        if "crop" in entry:
            whole = self.picture(entry["crop"][0])
            return whole.crop(_box(entry["crop"][1:], whole.size[::-1]))
        if "beside" in entry:
            sides = [np.array(self._side(name, each)) for each in entry["beside"]]
            return Image.fromarray(np.concatenate(sides, 1))
        return load_picture(self._path(entry["file"]))

    def _side(self, name: str, each: str) -> Image.Image:
        """One of several pictures side by side, at the height of the first."""
        height = self.picture(self.entries[name]["beside"][0]).height
        picture = self.picture(each)
        return picture.resize((round(picture.width * height / picture.height), height))

    def _drawn(self, name: str, shapes: list[str]) -> np.ndarray:
        size = self.picture(name).size
        mask = np.zeros(size[::-1], bool)
        for shape in shapes:
            less = shape.startswith("minus ")
            area = self._shape(name, shape.removeprefix("minus "), size)
            mask = mask & ~area if less else mask | area
        return mask

    def _shape(self, name: str, shape: str, size: tuple[int, int]) -> np.ndarray:
        """One shape of a region, bool (H, W), in a picture of a size (W, H)."""
        kind, *words = shape.split()
        if kind == "all":
            return np.ones(size[::-1], bool)
        if kind == "region":
            return self.region(name, words[0])
        if kind == "mask":
            return self._mask(words[0], size)
        canvas = Image.new("1", size)
        if kind == "ellipse":
            (x, y), (a, b) = _points(words, size)
            ImageDraw.Draw(canvas).ellipse((x - a, y - b, x + a, y + b), fill=1)
        else:
            ImageDraw.Draw(canvas).polygon(_points(shape.split(), size), fill=1)
        return np.array(canvas)

    def _mask(self, file: str, size: tuple[int, int]) -> np.ndarray:
        own = file.startswith(CASES)
        path = self._path(file, "masks") if own else str(FOLDER / f"{file}.png")
        return _resized(np.array(load_picture(path).convert("L")) > 127, size)

    def _path(self, file: str, kind: str = "images") -> str:
        if not file.startswith(CASES):
            return file
        return str(self.cases / kind / file.removeprefix(CASES))


def _points(words: list[str], size: tuple[int, int]) -> list[tuple[float, float]]:
    """Points in px from pairs "x,y" in thousandths of a picture's size (W, H)."""
    pairs = (word.split(",") for word in words)
    return [(float(x) * size[0] / 1000, float(y) * size[1] / 1000) for x, y in pairs]


def _box(shares: list[int], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Edges left, top, right and bottom in px of a picture (H, W), from thousandths."""
    height, width = shape
    left, top, right, bottom = (
        round(n * side / 1000) for n, side in zip(shares, (width, height) * 2, strict=True)
    )
    return left, top, right, bottom


def _resized(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.array(Image.fromarray(mask).convert("L").resize(size)) > 127
