"""Ridge regression, linear and by a Gaussian kernel, with its strength chosen on training data."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # relative to the number of samples

Kernel = Callable[[Tensor, Tensor], Tensor]  # (N, D) and (M, D) to (N, M)


def linear(a: Tensor, b: Tensor) -> Tensor:
    """Linear kernel: inner products."""
    return a @ b.T


def gaussian(a: Tensor, b: Tensor) -> Tensor:
    """Gaussian kernel exp(-|a - b|^2 / 2 s^2); s: the median distance of different rows of `b`.

    In a regression `b` are the samples, so that the width is that of the training data.
    """
    distances = torch.cdist(b, b)
    width = distances[distances > 1e-6].median()
    return torch.exp(-(torch.cdist(a, b) / width).square() / 2)


class Ridge:
    """Ridge regression in its dual form (Saunders et al. 1998), with an offset.

    The minimum of mean |y - f(x)|^2 + strength |f|^2; for the linear kernel f(x) - offset is a
    matrix, and |f| its Frobenius norm. The offset is not penalised with centred samples.

    Args:
        x: samples (N, D). y: their values (N, E).
        strength: of the penalty, > 0.
        kernel: similarity of samples.
    """

    def __init__(self, x: Tensor, y: Tensor, strength: float, kernel: Kernel = linear) -> None:
        self.mean, self.offset, self.kernel = x.mean(0), y.mean(0), kernel
        self.samples = x - self.mean
        gram = kernel(self.samples, self.samples)
        penalty = strength * len(x) * torch.eye(len(x), dtype=x.dtype)
        self.duals = torch.linalg.solve(gram + penalty, y - self.offset)

    def __call__(self, x: Tensor) -> Tensor:
        """Predictions (M, E) for samples (M, D)."""
        return self.kernel(x - self.mean, self.samples) @ self.duals + self.offset

    @property
    def matrix(self) -> Tensor:
        """Matrix (E, D) of the linear kernel's map, f(x) = matrix (x - mean) + offset."""
        return self.duals.T @ self.samples


def fit(x: Tensor, y: Tensor, groups: Tensor, folds: int, kernel: Kernel = linear) -> Ridge:
    """Ridge with the strength of STRENGTHS that predicts left-out groups best.

    groups: (N,) group of each sample; whole groups are left out, in `folds` parts.
    """
    parts = split(groups.unique().tolist(), folds)

    def error(strength: float) -> float:
        total = 0.0
        for part in parts:
            out = torch.isin(groups, torch.tensor(part))
            model = Ridge(x[~out], y[~out], strength, kernel)
            total += float((y[out] - model(x[out])).square().sum())
        return total

    return Ridge(x, y, min(STRENGTHS, key=error), kernel)


def split(items: Sequence[int], parts: int, seed: int = 0) -> list[list[int]]:
    """Items in `parts` random parts of about equal sizes."""
    order = torch.randperm(len(items), generator=torch.Generator().manual_seed(seed)).tolist()
    return [[items[k] for k in order[part::parts]] for part in range(parts)]
