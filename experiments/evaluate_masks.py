"""Measures the segmenter against hand-made masks: python -m experiments.evaluate_masks."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from datamodules.images import load_picture, save_png, to_picture, to_tensor
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, default=Path("../shared/cases"), metavar="DIR")
    parser.add_argument("--overlays", type=Path, metavar="DIR", help="write overlay PNGs here")
    args = parser.parse_args()
    segmenter, scores = BridgeSegmenter(), []
    print(f"{'phrase':58} {'picture':16} {'IoU':>5} {'s':>5}")
    for index, (name, phrase) in enumerate(CASES):
        print(f"{index + 1}/{len(CASES)} {name}: {phrase}", file=sys.stderr)
        # The masks were drawn on pictures squashed to their own, square size.
        truth = load_picture(str(args.cases / "masks" / f"{Path(name).stem}.png"))
        picture = load_picture(str(args.cases / "images" / name))
        truth = to_tensor(truth.convert("L").resize(picture.size))
        picture = to_tensor(picture)
        start = time.perf_counter()
        mask = segmenter.segment(picture, phrase)
        seconds = time.perf_counter() - start
        scores.append(mask_iou(mask, truth))
        print(f"{phrase:58} {name:16} {scores[-1]:5.3f} {seconds:5.1f}")
        if args.overlays:
            shown = to_picture(picture * (0.25 + 0.75 * mask))  # all but the object is darkened
            save_png(shown, args.overlays / f"{index + 1}_{Path(name).stem}.png")
    print(f"{'mean':75} {sum(scores) / len(scores):5.3f}")


if __name__ == "__main__":
    main()
