"""Scores of a correlation: area under the ROC curve, retrieval, explained variance, monotony."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def auc(right: Tensor, wrong: Tensor) -> float:
    """Probability that a right pair scores above a wrong one, ties counting half, in [0, 1].

    The area under the ROC curve by ranks (Mann and Whitney 1947); 0.5 is chance. right, wrong:
    scores of at least one pair each, of any shape.
    """
    right, wrong = right.flatten(), wrong.flatten().sort().values
    below = torch.searchsorted(wrong, right)
    up_to = torch.searchsorted(wrong, right, right=True)
    return float((below + up_to).double().mean() / (2 * len(wrong)))


def auc_of(similarities: Tensor, owners: Tensor) -> float:
    """The same of similarities (N, T) of pictures and texts; owners (N,) are the right texts."""
    right = F.one_hot(owners, similarities.shape[1]).bool()
    return auc(similarities[right], similarities[~right])


def ranks(similarities: Tensor, owners: Tensor) -> Tensor:
    """Rank (N,) of each picture's right text, 1 for the nearest; ties rank in the middle.

    similarities: (N, T) of pictures and texts. owners: (N,) index of the right text.
    """
    own = similarities.gather(1, owners[:, None])
    above = (similarities > own).sum(1)
    level = (similarities == own).sum(1) - 1
    return 1 + above + level.double() / 2


def retrieval(similarities: Tensor, owners: Tensor, k: int) -> float:
    """Share of the pictures whose right text is among the k nearest, in [0, 1].

    Arguments: of `ranks`. Chance is k / T.
    """
    return float((ranks(similarities, owners) <= k).double().mean())


def squared_errors(truth: Tensor, predicted: Tensor, reference: Tensor) -> tuple[float, float]:
    """Squared error of a prediction and of a reference; R2 = 1 - first / second.

    All three broadcast to one shape. Sums rather than R2, so that folds can be added up.
    """
    return tuple(float((truth - guess).square().sum()) for guess in (predicted, reference))


def spearman(x: Tensor, y: Tensor) -> Tensor:
    """Spearman's rank correlation of x (N,) with each column of y (N, ...), in [-1, 1].

    Ties have their mean rank; a constant column gives NaN.
    """
    first, second = (_mean_ranks(values.double()) for values in (x, y))
    first, second = (values - values.mean(0) for values in (first, second))
    first = first.view(-1, *[1] * (second.ndim - 1))
    return (first * second).sum(0) / (first.square().sum(0) * second.square().sum(0)).sqrt()


def _mean_ranks(values: Tensor) -> Tensor:
    """Ranks along the first dimension, from 0; ties have their mean."""
    below = (values[None] < values[:, None]).sum(1)
    level = (values[None] == values[:, None]).sum(1) - 1
    return below + level.double() / 2


def line_fit(x: Tensor, y: Tensor) -> Tensor:
    """R2 of the least-squares line through x (N,) and each column of y (N, ...), in [0, 1]."""
    x, y = x.double() - x.double().mean(), y.double() - y.double().mean(0)
    x = x.view(-1, *[1] * (y.ndim - 1))
    return (x * y).sum(0).square() / (x.square().sum(0) * y.square().sum(0))
