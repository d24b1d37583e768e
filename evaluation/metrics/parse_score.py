"""Accuracy of splitting an instruction into objects and styles, against a key.

- exact match: Soulstyler's rule, "object and style both right" (arXiv 2311.13562, table 1). The
  paper counted by hand; here phrases are compared after `normalise` (case, articles, spaces, end
  punctuation), which is stricter: a person forgives a missing word.
- token F1: overlap of the words of phrase and key (SQuAD; Rajpurkar et al. 2016,
  arXiv 1606.05250, section 6.1).
- span IoU: overlap of the characters of the instruction that phrase and key mark.

Exact match is all or nothing for an instruction, in any order of its targets. For F1 and IoU the
targets are paired with the key's one to one so that the sum of the four scores is highest, and the
sum over the pairs is divided by the larger number of targets, so that missing and extra targets
lower the score.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import product
from typing import ClassVar

import torch
from torch import Tensor
from torchmetrics import Metric

from datamodules.task import BACKGROUND, StyleTarget
from evaluation.metrics.scores import Score

FIELDS = ("object", "style")
ARTICLES = {"a", "an", "the"}
LEADING_ARTICLES = re.compile(r"\b(?:an?|the)\s+")
PUNCTUATION = re.compile(r"[^\w\s]")
END_PUNCTUATION = " .,;:!?"


def normalise(text: str) -> str:
    """The phrase in lowercase, without articles, extra spaces and end punctuation."""
    spaced = " ".join(text.lower().split())
    return LEADING_ARTICLES.sub("", spaced).rstrip(END_PUNCTUATION)


def tokens(text: str) -> list[str]:
    """The words of a phrase as SQuAD counts them: lowercase, without punctuation and articles."""
    return [word for word in PUNCTUATION.sub("", normalise(text)).split() if word not in ARTICLES]


def token_f1(predicted: str, key: str) -> float:
    """F1 of the two bags of words, in [0, 1]; 1 = the same words, higher is better.

    1.0 if neither phrase has words, 0.0 if only one has.
    """
    a, b = tokens(predicted), tokens(key)
    if not (a and b):
        return float(a == b)
    return 2 * sum((Counter(a) & Counter(b)).values()) / (len(a) + len(b))


def _places(phrase: str, instruction: str) -> list[tuple[int, int]]:
    """Start and end of every occurrence, ignoring case; occurrences may overlap."""
    pattern = f"(?=({re.escape(phrase)}))"
    return [match.span(1) for match in re.finditer(pattern, instruction, re.IGNORECASE)]


def span_iou(predicted: str, key: str, instruction: str) -> float:
    """Intersection over union of the characters that two phrases mark, in [0, 1]; 1 = equal.

    Phrases are searched letter by letter, ignoring case and runs of spaces; of several occurrences
    the best pair counts. 1.0 if both phrases are empty or both are BACKGROUND, which need not be a
    span; 0.0 for any other phrase that is no span of the instruction.
    """
    answer, right, text = (" ".join(words.split()) for words in (predicted, key, instruction))
    if not (answer and right) or answer == right == BACKGROUND:
        return float(answer == right)
    best = 0.0
    for (a, b), (c, d) in product(_places(answer, text), _places(right, text)):
        shared = max(0, min(b, d) - max(a, c))
        best = max(best, shared / (b - a + d - c - shared))
    return best


def _pair_scores(target: StyleTarget, key: StyleTarget, instruction: str) -> dict[str, float]:
    scores = {}
    for field in FIELDS:
        a, b = getattr(target, field), getattr(key, field)
        scores[f"f1_{field}"] = token_f1(a, b)
        scores[f"iou_{field}"] = span_iou(a, b, instruction)
    return scores


def _exact_scores(answer: Sequence[StyleTarget], keys: Sequence[StyleTarget]) -> dict[str, float]:
    """1.0 where the targets are the key's, in any order: objects, styles, and both with weights.

    An object agrees only if its exceptions do.
    """

    def bags(targets: Sequence[StyleTarget]) -> tuple[Counter, Counter, Counter]:
        objects = [
            (normalise(target.object), *sorted(map(normalise, target.exceptions)))
            for target in targets
        ]
        styles = [normalise(target.style) for target in targets]
        weights = [target.weight for target in targets]
        return (
            Counter(zip(objects, styles, weights, strict=True)),
            Counter(objects),
            Counter(styles),
        )

    names = ("exact", "exact_object", "exact_style")
    agree = (float(a == b) for a, b in zip(bags(answer), bags(keys), strict=True))
    return dict(zip(names, agree, strict=True))


def parse_scores(
    targets: Sequence[StyleTarget], keys: Sequence[StyleTarget], instruction: str
) -> dict[str, float]:
    """The scores of one instruction by name (see `ParseScore.scores`), each in [0, 1].

    targets: the parser's, () if it refused the instruction. keys: at least one; ValueError without.
    """
    if not keys:
        raise ValueError(f"the instruction {instruction!r} has no key to compare with")
    from scipy.optimize import linear_sum_assignment

    pairs = [[_pair_scores(target, key, instruction) for key in keys] for target in targets]
    totals = torch.tensor([[sum(pair.values()) for pair in row] for row in pairs])
    best = zip(*linear_sum_assignment(totals, maximize=True), strict=True) if targets else ()
    sums = dict.fromkeys((f"{kind}_{field}" for kind in ("f1", "iou") for field in FIELDS), 0.0)
    for row, column in best:
        for name, value in pairs[row][column].items():
            sums[name] += value
    number = max(len(targets), len(keys))
    return _exact_scores(targets, keys) | {name: value / number for name, value in sums.items()}


class ParseScore(Metric):
    """Means of `parse_scores` over all instructions so far; NaN before the first."""

    full_state_update = False
    is_differentiable = False
    higher_is_better = True
    scores: ClassVar[dict[str, Score]] = {
        "exact": Score(True, 0, 1, "Soulstyler (arXiv 2311.13562): both right, there by hand"),
        "exact_object": Score(True, 0, 1, "the same, objects alone"),
        "exact_style": Score(True, 0, 1, "the same, styles alone"),
        "f1_object": Score(True, 0, 1, "Rajpurkar et al. 2016 (arXiv 1606.05250), section 6.1"),
        "f1_style": Score(True, 0, 1, "Rajpurkar et al. 2016 (arXiv 1606.05250), section 6.1"),
        "iou_object": Score(True, 0, 1, "Jaccard index of character positions"),
        "iou_style": Score(True, 0, 1, "Jaccard index of character positions"),
    }

    sums: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        zeros = torch.zeros(len(self.scores), dtype=torch.float64)
        self.add_state("sums", default=zeros, dist_reduce_fx="sum")
        self.add_state("count", default=torch.tensor(0), dist_reduce_fx="sum")

    def update(
        self,
        predicted_targets: Sequence[StyleTarget],
        key_targets: Sequence[StyleTarget],
        instruction: str,
    ) -> None:
        """Add one instruction; the arguments are those of `parse_scores`."""
        scores = parse_scores(predicted_targets, key_targets, instruction)
        self.sums += torch.tensor([scores[name] for name in self.scores]).to(self.sums)
        self.count += 1

    def compute(self) -> dict[str, Tensor]:
        """The mean of each score, in [0, 1]."""
        return dict(zip(self.scores, self.sums / self.count, strict=True))
