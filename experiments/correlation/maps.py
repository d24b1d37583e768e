"""Maps from dT to dI, and their tests on styles and photos that they never saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from experiments.correlation.regression import Kernel, Ridge, fit, gaussian, linear, split
from experiments.correlation.scores import auc_of, ranks, retrieval, squared_errors

FOLDS = 6  # parts of the styles, of which each is left out once
SEEDS = (0, 1, 2)  # of the parts
INNER = 5  # parts of the training styles, which choose the strength
KERNELS: dict[str, Kernel] = {"linear": linear, "gaussian": gaussian}
LEFT_OUT = ("styles", "photos", "both")

TextMap = Callable[[Tensor], Tensor]  # dT (T, D) to the directions (T, D) that pictures take


@dataclass(frozen=True)
class Pairs:
    """Directions of texts and pictures: N wordings of S styles, P photos, D dimensions.

    texts:    dT (N, D). owners: (N,) the style of each.
    pictures: dI (S, P, D).
    """

    texts: Tensor
    owners: Tensor
    pictures: Tensor

    def part(self, styles: list[int], photos: list[int]) -> Pairs:
        """Pairs of these styles alone, numbered anew in their order, and of these photos."""
        wordings = [torch.nonzero(self.owners == k).flatten() for k in styles]
        counts = torch.tensor([len(each) for each in wordings])
        return Pairs(
            self.texts[torch.cat(wordings)],
            torch.arange(len(styles)).repeat_interleave(counts),
            self.pictures[styles][:, photos],
        )

    @property
    def first(self) -> Tensor:
        """dT (S, D) of each style's first words."""
        changes = self.owners.diff(prepend=self.owners.new_tensor([-1]))
        return self.texts[changes != 0]


def forward(pairs: Pairs, kernel: Kernel) -> Ridge:
    """dT -> dI, averaged over the photos: the same ridge as with all of them, in less time."""
    means = pairs.pictures.mean(1)
    return fit(pairs.texts, means[pairs.owners], pairs.owners, INNER, kernel)


def backward(pairs: Pairs) -> Ridge:
    """dI -> dT: reads the style's words from the picture, the photo's own part taken off."""
    styles, photos = pairs.pictures.shape[:2]
    words = torch.stack([pairs.texts[pairs.owners == k].mean(0) for k in range(styles)])
    samples = (pairs.pictures - pairs.pictures.mean(0)).flatten(0, 1)
    groups = torch.arange(styles).repeat_interleave(photos)
    return fit(samples, words.repeat_interleave(photos, dim=0), groups, INNER)


# ---- how much of dI a map explains ----


def explained_shares(pairs: Pairs) -> dict[tuple[str, str], float]:
    """R2 of dI by what was left out in training and by kernel; 0 for the mean of training."""
    shares = {}
    for out in LEFT_OUT:
        for name, kernel in KERNELS.items():
            sums = [_errors(train, test, kernel) for train, test, _ in folds(pairs, out)]
            error, reference = torch.tensor(sums, dtype=torch.double).sum(0)
            shares[out, name] = float(1 - error / reference)
    return shares


def _errors(train: Pairs, test: Pairs, kernel: Kernel) -> tuple[float, float]:
    predicted = forward(train, kernel)(test.first)[:, None]
    return squared_errors(test.pictures, predicted, train.pictures.mean((0, 1)))


def folds(pairs: Pairs, out: str) -> Iterator[tuple[Pairs, Pairs, list[int]]]:
    """Training pairs, test pairs and the styles of the test.

    out: what the training does not see: "styles", "photos" or "both".
    """
    styles, photos = (list(range(count)) for count in pairs.pictures.shape[:2])
    parts = [part for seed in SEEDS for part in split(styles, min(FOLDS, len(styles)), seed)]
    if out == "photos":
        parts = [[] for _ in photos]
    for number, part in enumerate(parts):
        left = [] if out == "styles" else [number % len(photos)]
        train = ([k for k in styles if k not in part], [k for k in photos if k not in left])
        test = (part or styles, left or photos)
        yield pairs.part(*train), pairs.part(*test), test[0]


def common_shares(pairs: Pairs) -> tuple[float, float]:
    """Shares of dI's variance between styles and between photos.

    The first is the most that any function of the text alone can explain.
    """
    mean = pairs.pictures.mean((0, 1))
    total = (pairs.pictures - mean).square().sum(-1).mean()
    means = (pairs.pictures.mean(1), pairs.pictures.mean(0))
    return tuple(float((each - mean).square().sum(-1).mean() / total) for each in means)


# ---- retrieval among styles that a map never saw ----


def text_maps(train: Pairs) -> dict[str, TextMap]:
    """Directions that pictures are compared with, by name; all have the photo's own part off."""
    ahead, bent, back = forward(train, linear), forward(train, gaussian), backward(train)
    mean = train.texts.mean(0)
    return {
        "cosine": lambda texts: texts - mean,
        "linear": lambda texts: ahead(texts) - ahead.offset,
        "gaussian": lambda texts: bent(texts) - bent.offset,
        "linear, backward": lambda texts: (texts - mean) @ back.matrix,
    }


@dataclass(frozen=True)
class Retrieval:
    """Similarities (N, T) of left-out pictures with the words of T left-out styles.

    owners: (N,) the right one of the T. styles: (N,) the same among all styles.
    """

    similarities: Tensor
    owners: Tensor
    styles: Tensor


def new_style_retrieval(pairs: Pairs) -> dict[str, list[Retrieval]]:
    """Retrieval in every fold by the name of the map.

    "plain cosine" is the measure of the directional loss; for all others the mean of the training
    styles is taken off texts and pictures.
    """
    results: dict[str, list[Retrieval]] = {}
    for train, test, styles in folds(pairs, "styles"):
        count, photos = test.pictures.shape[:2]
        owners = torch.arange(count).repeat_interleave(photos)
        centred = F.normalize(test.pictures - train.pictures.mean(0), dim=-1).flatten(0, 1)
        similar = {"plain cosine": test.pictures.flatten(0, 1) @ test.first.T} | {
            name: centred @ F.normalize(text_map(test.first), dim=-1).T
            for name, text_map in text_maps(train).items()
        }
        for name, values in similar.items():
            result = Retrieval(values, owners, torch.tensor(styles)[owners])
            results.setdefault(name, []).append(result)
    return results


def mean_scores(results: list[Retrieval]) -> dict[str, float]:
    """AUC, retrieval at 1 and 5, and chance at 1, averaged over the pictures of all folds."""
    sizes = torch.tensor([len(result.owners) for result in results], dtype=torch.double)
    rows = []
    for result in results:
        each = (result.similarities, result.owners)
        rows.append((auc_of(*each), retrieval(*each, 1), retrieval(*each, 5), 1 / each[0].shape[1]))
    means = sizes @ torch.tensor(rows, dtype=torch.double) / sizes.sum()
    return dict(zip(("AUC", "at 1", "at 5", "chance at 1"), means.tolist(), strict=True))


def shares_below(results: list[Retrieval], styles: int) -> Tensor:
    """Share (S,) of wrong texts that are less similar than the right one, by style; 0.5 is chance.

    The AUC within a picture, averaged over a style's pictures.
    """
    shares, owners = [], []
    for result in results:
        wrong = result.similarities.shape[1] - 1
        shares.append(1 - (ranks(result.similarities, result.owners) - 1) / wrong)
        owners.append(result.styles)
    mine = F.one_hot(torch.cat(owners), styles).double()
    return torch.cat(shares).double() @ mine / mine.sum(0)
