"""Masks of phrases and the confidence in them: python -m experiments.measure.mask_confidence.

Prints what becomes of each phrase, how many wrong masks are warned of or refused, and with `--fit`
the weights of `operations.confidence`, fitted to the masks of the split "fit" and of a cases
folder. Phrases of the split "aside" only measure.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path

import numpy as np
import torch

from datamodules.images import resize_mask
from datamodules.segmentation.base import ObjectNotFoundError
from datamodules.segmentation.bridge import BridgeSegmenter
from datamodules.segmentation.cues.base import Finding
from datamodules.segmentation.cues.scene import Scene
from datamodules.segmentation.operations.confidence import BIAS, WEIGHTS
from datamodules.vocabulary import SKIES, WATERS
from evaluation.metrics.mask_iou import mask_iou
from experiments.measure.drawn_regions import DrawnPictures, PhraseCase

WRONG, RIGHT = 0.5, 0.8  # IoU below and above which a mask is wrong and right
RIDGE = 0.5  # on the weights of standardised signs
STEPS = 60  # of Newton's method
# Skies and waters are few; so these phrases are tried on every picture that has none.
ELSEWHERE = {"the sky": SKIES, "the sea": WATERS}


@dataclass(frozen=True)
class Outcome:
    """Finding for a phrase, also if it was refused, with the IoU, 0 for an absent thing."""

    case: PhraseCase
    finding: Finding
    iou: float
    refused: bool

    @property
    def reported(self) -> bool:
        """Whether a user learns that the mask may be wrong."""
        return self.refused or self.finding.confidence < BridgeSegmenter.line


def outcomes(cases: Iterable[PhraseCase]) -> Iterator[Outcome]:
    """Outcome of each phrase, printed."""
    segmenter = BridgeSegmenter()
    for _, group in groupby(cases, key=lambda case: case.picture):
        phrases = list(group)
        scene = segmenter.scene(phrases[0].content)
        for case in phrases:
            result = outcome(segmenter, scene, case)
            iou = "absent" if case.absent else f"{result.iou:.2f}"
            state = "refused" if result.refused else f"{result.finding.confidence:.2f}"
            print(f"{case.split:6} {case.picture:18} {case.phrase:28} {iou:>7} {state:>8}")
            yield result


@torch.no_grad()
def outcome(segmenter: BridgeSegmenter, scene: Scene, case: PhraseCase) -> Outcome:
    """Outcome of one phrase; masks that are refused are made nevertheless, for the fit."""
    try:
        finding, refused = segmenter.find(scene, case.phrase), False
    except ObjectNotFoundError:
        refused, scene.presence = True, float("-inf")
        finding = segmenter.find(scene, case.phrase)
        scene.presence = segmenter.presence
    mask = resize_mask(torch.from_numpy(finding.mask).float(), case.truth.shape)
    return Outcome(case, finding, 0.0 if case.absent else mask_iou(mask, case.truth), refused)


def elsewhere(pictures: DrawnPictures, split: str) -> Iterator[PhraseCase]:
    """Phrases of ELSEWHERE for the pictures without a region of these names."""
    for case in {case.picture: case for case in pictures.phrases(split)}.values():
        regions = pictures.entries[case.picture].get("regions", {})
        for phrase, names in ELSEWHERE.items():
            if not names & set(regions):
                nothing = torch.zeros_like(case.truth)
                yield PhraseCase(case.picture, split, phrase, case.content, nothing)


def summary(title: str, results: list[Outcome]) -> str:
    """Line of a table: mean IoU of what is there, reports of wrong masks and of right ones."""
    present = [0.0 if r.refused else r.iou for r in results if not r.case.absent]
    wrong = [r.reported for r in results if r.iou < WRONG]
    right = [r.reported for r in results if r.iou > RIGHT]
    return (
        f"| {title} | {np.mean(present):.2f} ({len(present)}) | {sum(wrong)} of {len(wrong)} | "
        f"{sum(right)} of {len(right)} |"
    )


def fit_weights(results: list[Outcome], kind: str) -> dict[str, float]:
    """Weights of a kind by logistic regression of the IoU (fractional logit), with a ridge."""
    alike = [r for r in results if r.finding.kind == kind]
    names = [name for name in WEIGHTS[kind] if name != BIAS]
    table = np.array([[r.finding.signs[name] for name in names] for r in alike])
    middle, scale = table.mean(0), table.std(0)
    x = np.column_stack([np.ones(len(table)), (table - middle) / scale])
    y = np.array([r.iou for r in alike])
    ridge = RIDGE * np.diag([0.0] + [1.0] * len(names))
    weights = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-x @ weights))
        curvature = (x * (p * (1 - p))[:, None]).T @ x + ridge
        weights -= np.linalg.solve(curvature, x.T @ (p - y) + ridge @ weights)
    slopes = weights[1:] / scale
    values = [weights[0] - slopes @ middle, *slopes]
    return {name: round(float(v), 3) for name, v in zip([BIAS, *names], values, strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, metavar="DIR", help="folder of images/ and masks/")
    parser.add_argument("--fit", action="store_true", help="print fitted weights, too")
    args = parser.parse_args()
    sets = {"fit": DrawnPictures("phrases.yaml"), "aside": DrawnPictures("phrases.yaml")}
    if args.cases:
        sets["cases"] = DrawnPictures("cases.yaml", args.cases)
    results = {split: list(outcomes(each.phrases(split))) for split, each in sets.items()}
    print("| phrases | mean IoU | wrong masks reported | right masks reported |")
    for split in results:
        print(summary(split, results[split]))
    if args.fit:
        learners = [split for split in sets if split != "aside"]
        extra = (r for split in learners for r in outcomes(elsewhere(sets[split], split)))
        examples = [*chain(*(results[split] for split in learners)), *extra]
        for kind in WEIGHTS:
            print(kind, fit_weights(examples, kind))


if __name__ == "__main__":
    main()
