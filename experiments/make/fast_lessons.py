"""Lessons of FastPainter: codes of the painter of arbitrary styles for many texts.

    python -m experiments.make.fast_lessons        about six minutes on one processor core

Writes lightning_modules/generators/fast_lessons.safetensors and prints its sha256, which belongs
in fast_lessons.py. A swatch has the code that the style predictor reads from it. The 26 paintings
have codes of another network: pictures that it has painted are read by the predictor, and the mean
is the painting's code. Both are read once more with everything dyed in each of COLORS.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
import yaml
from rich.progress import track
from safetensors.torch import load_file, save_file
from torch import Tensor

from datamodules.images import fit_within, load_picture, to_tensor
from datamodules.models import embedded_networks
from datamodules.support.files import atomic, sha256
from experiments.run.registry import METHODS
from lightning_modules.generators import fast_painter
from lightning_modules.generators.fast_lessons import LESSONS
from lightning_modules.generators.painter import bottleneck, multistyle
from lightning_modules.generators.painter_styles import (
    PainterStyle,
    american,
    catalogue,
    dye,
)

TEXTS = Path(fast_painter.__file__).with_name("fast_painter_texts.yaml")
PICTURES = (  # painted, then read
    *("brick", "camera", "clock_motion", "color", "grass", "gravel", "hubble_deep_field", "moon"),
    *("retina", "motorcycle_right", "horse"),
)
DYED = ("color", "motorcycle_right")  # the same in each colour
SIDE = 320  # px of their longer sides
COLORS = (
    *("", "black", "white", "gray", "red", "orange", "yellow", "green", "blue", "purple", "pink"),
    *("brown", "teal", "turquoise", "navy", "lime", "magenta"),
)
KINDS = (range(26), range(26, 53))  # paintings, and materials and drawings
HELD_OUT = 4  # of each kind
RIDGE = 0.1  # share of the mean variance in the covariance of the codes


@dataclass(frozen=True)
class Lesson:
    """A text with the styles, by their numbers in the catalogue, and the colour that it means."""

    text: str
    styles: tuple[int, ...]
    color: str = ""


@dataclass(frozen=True)
class Course:
    """All that FastPainter learns.

    unseen: numbers of the styles that are left out. codes: (S, len(COLORS), 100).
    """

    lessons: list[Lesson]
    unseen: list[int]
    codes: Tensor = field(default_factory=lambda: torch.empty(0))

    def targets(self, lessons: Sequence[Lesson]) -> Tensor:
        """Codes (T, 100) of T lessons: the means of their styles' codes in their colours."""
        return torch.stack(
            [
                self.codes[list(lesson.styles), COLORS.index(lesson.color)].mean(0)
                for lesson in lessons
            ]
        )

    def spread(self) -> tuple[Tensor, Tensor]:
        """Mean (100,) and regularised covariance (100, 100) of the codes that are not left out."""
        styles = [k for k in range(len(self.codes)) if k not in self.unseen]
        codes = self.codes[styles].flatten(0, 1)
        covariance = torch.cov(codes.T)
        width = len(covariance)
        even = torch.eye(width) * covariance.trace() / width
        return codes.mean(0), (1 - RIDGE) * covariance + RIDGE * even


def draw_unseen(on_sheet: Sequence[int], seed: int = 0) -> list[int]:
    """Numbers of styles to leave out, HELD_OUT of each kind, none of them in `on_sheet`."""
    draw = random.Random(seed)
    kinds = ([k for k in kind if k not in on_sheet] for kind in KINDS)
    return [k for kind in kinds for k in draw.sample(kind, HELD_OUT)]


def course() -> Course:
    """The course without codes: catalogue and `fast_painter_texts.yaml`, without unseen styles.

    Words of the catalogue that contain an unseen style's are left out as well.
    """
    styles = catalogue()[0]
    numbers = {style.words[0]: number for number, style in enumerate(styles)}
    entries = yaml.safe_load(TEXTS.read_text("utf-8"))
    unseen = [numbers[name] for name in entries["unseen"]]
    pattern = forbidden([styles[k] for k in unseen])
    lessons = [
        Lesson(american(words), (number,))
        for number, style in enumerate(styles)
        for words in style.words
        if not pattern.search(words)
    ]
    for entry in entries["texts"]:
        like = tuple(numbers[name] for name in entry["like"])
        lessons += [Lesson(american(w), like, entry.get("color", "")) for w in entry["words"]]
    return Course(lessons, unseen)


def forbidden(unseen: Sequence[PainterStyle]) -> re.Pattern[str]:
    """Pattern of all words of the unseen styles."""
    words = [re.escape(words) for style in unseen for words in style.words]
    return re.compile(rf"\b({'|'.join(words)})\b", re.IGNORECASE)


@torch.no_grad()
def style_codes() -> Tensor:
    """Codes (S, len(COLORS), 100) of all styles of the catalogue in all colours."""
    photos = {name: _photo(name) for name in PICTURES}
    styles = catalogue()[0]
    return torch.stack([_codes_of(style, photos) for style in track(styles, "reading styles")])


def _codes_of(style: PainterStyle, photos: dict[str, Tensor]) -> Tensor:
    if style.swatch:
        return torch.stack([bottleneck(style.picture(color)) for color in COLORS])
    network, codes = multistyle()
    painted = {name: network(photo, codes[style.code]) for name, photo in photos.items()}
    plain = torch.stack([bottleneck(picture) for picture in painted.values()]).mean(0)
    dyed = [
        torch.stack([bottleneck(dye(painted[name], color)) for name in DYED]).mean(0)
        for color in COLORS[1:]
    ]
    return torch.stack([plain, *dyed])


def _photo(name: str) -> Tensor:
    return to_tensor(fit_within(load_picture(f"skimage:{name}").convert("RGB"), SIDE))[None]


def embed(texts: Sequence[str], chunk: int = 256) -> Tensor:
    """Sentence embeddings (T, 384) of texts, `chunk` at a time."""
    embedder = embedded_networks.sentence_embedder()
    parts = (list(texts[start : start + chunk]) for start in range(0, len(texts), chunk))
    return torch.cat([embedder(part) for part in parts])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", action="store_true", help="keep the codes of the styles")
    path, plan = METHODS.parents[1] / LESSONS.package / LESSONS.path, course()
    codes = load_file(path)["styles"] if parser.parse_args().texts else style_codes()
    plan = Course(plan.lessons, plan.unseen, codes.float())
    texts = [lesson.text for lesson in plan.lessons]
    mean, covariance = plan.spread()
    tensors = {
        "embeddings": embed(texts).half(),
        "codes": plan.targets(plan.lessons).half(),
        "mean": mean,
        "precision": torch.linalg.inv(covariance).contiguous(),
        "styles": plan.codes.half(),
    }
    with atomic(path) as temporary:
        save_file(tensors, temporary, {"texts": json.dumps(texts, ensure_ascii=False)})
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, sha256 {sha256(path)}")


if __name__ == "__main__":
    main()
