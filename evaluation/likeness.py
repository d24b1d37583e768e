"""Outputs that are (nearly) the same picture, which no score and no rater can tell apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import combinations
from pathlib import Path

import numpy as np

from datamodules.images import load_picture
from datamodules.models.cache import once_per_process
from datamodules.run_folder import CONTENT, OUTPUT
from evaluation.tables.meanings import method_title
from evaluation.tables.run import Run

ALIKE = 30.0  # dB; from about there on a difference must be looked for
APART = ("method", "segmenter")  # labels in which runs of the same task differ


def nearly_same(one: Path, other: Path) -> bool:
    """Whether the outputs of two runs on one photo are alike where either has changed it.

    By their PSNR there: an equal background, be it large, makes no two objects alike.
    Pictures of different sizes are not.
    """
    a, b, photo = _read(one / OUTPUT), _read(other / OUTPUT), _read(one / CONTENT)
    if not a.shape == b.shape == photo.shape:
        return False
    changed = ((a != photo) | (b != photo)).any(2)
    if not changed.any():
        return True
    error = np.square(a[changed].astype(np.float64) - b[changed]).mean()
    return bool(error <= 255**2 / 10 ** (ALIKE / 10))


@once_per_process(at_most=32)
def _read(path: Path) -> np.ndarray:
    """A picture's pixels, (H, W, 3) in 0 ... 255."""
    return np.asarray(load_picture(str(path)))


def alike_methods(root: Path, runs: Iterable[Run]) -> dict[tuple[str, str], tuple[int, int]]:
    """Tasks in which two methods painted nearly the same, and all that both have, by their names;
    only where the former are at least half of the latter.
    """
    tasks: dict[tuple, dict[str, Path]] = {}
    for run in runs:
        labels = sorted((name, repr(v)) for name, v in run.labels.items() if name not in APART)
        method = str(run.label("method"))
        tasks.setdefault((run.set, *labels), {})[method] = root / run.folder
    alike: Counter[tuple[str, str]] = Counter()
    both: Counter[tuple[str, str]] = Counter()
    for folders in tasks.values():
        for pair in combinations(sorted(folders), 2):
            both[pair] += 1
            alike[pair] += nearly_same(*(folders[method] for method in pair))
    return {pair: (alike[pair], n) for pair, n in both.items() if 2 * alike[pair] >= n}


def remark(alike: Mapping[tuple[str, str], tuple[int, int]]) -> str:
    """A line about methods that painted nearly the same; "" where there are none."""
    if not alike:
        return ""
    pairs = ", ".join(
        f"{method_title(one)} and {method_title(other)} ({count} of {n})"
        for (one, other), (count, n) in alike.items()
    )
    return (
        f"nearly the same pictures: {pairs}; their scores say little about the methods, and a "
        "study leaves such pairs out. A network of its own in every run shows more: --models fast, "
        "or --model.generator stylenet"
    )
