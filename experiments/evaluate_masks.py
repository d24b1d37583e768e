"""Measures the segmenter against hand-made masks: python -m experiments.evaluate_masks."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from datamodules.segmentation.bridge import BridgeSegmenter
from evaluation.metrics.mask_iou import mask_iou

CASES = [
    ("ship.jpg", "white sailboat"),
    ("ship.jpg", "white sailboat with three blue sails floating on the sea"),
    ("flower.jpg", "flower"),
    ("car.png", "white sports car"),
    ("taj_mahal.jpeg", "palace"),
    ("taj_mahal.jpeg", "The White House at the Taj Mahal"),
]


def load(path: Path) -> Tensor:
    """Picture as float32 (3, H, W) in [0, 1]."""
    pixels = np.array(Image.open(path).convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1) / 255


def load_truth(path: Path, size: tuple[int, int]) -> Tensor:
    """Hand-made mask as float32 (H, W), 0 or 1, resized to the picture's size."""
    mask = Image.open(path).convert("L").resize(size[::-1], Image.Resampling.NEAREST)
    return (torch.from_numpy(np.array(mask)) > 127).float()


def save_overlay(path: Path, picture: Tensor, mask: Tensor) -> None:
    """The picture with everything outside the mask darkened to a quarter."""
    shown = picture * (0.25 + 0.75 * mask)
    Image.fromarray((shown * 255).byte().permute(1, 2, 0).numpy()).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, default=Path("../shared/cases"), metavar="DIR")
    parser.add_argument("--overlays", type=Path, metavar="DIR", help="write overlay PNGs here")
    args = parser.parse_args()
    segmenter, scores = BridgeSegmenter(), []
    print(f"{'phrase':58} {'picture':16} {'IoU':>5} {'s':>5}")
    for index, (name, phrase) in enumerate(CASES):
        print(f"{index + 1}/{len(CASES)} {name}: {phrase}", file=sys.stderr)
        picture = load(args.cases / "images" / name)
        truth = load_truth(args.cases / "masks" / f"{Path(name).stem}.png", picture.shape[1:])
        start = time.perf_counter()
        mask = segmenter.segment(picture, phrase)
        seconds = time.perf_counter() - start
        scores.append(mask_iou(mask, truth))
        print(f"{phrase:58} {name:16} {scores[-1]:5.3f} {seconds:5.1f}")
        if args.overlays:
            args.overlays.mkdir(parents=True, exist_ok=True)
            save_overlay(args.overlays / f"{index + 1}_{Path(name).stem}.png", picture, mask)
    print(f"{'mean':75} {sum(scores) / len(scores):5.3f}")


if __name__ == "__main__":
    main()
