"""Many masks of one picture, of which no single score finds the best: they vote by their scores."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from datamodules.segmentation.operations.arrays import standardize


def overlaps(masks: np.ndarray) -> np.ndarray:
    """Intersection over union of each two of N masks, bool (N, H, W), none empty: (N, N)."""
    flat = masks.reshape(len(masks), -1).astype(np.float32)
    shared, areas = flat @ flat.T, flat.sum(1)
    return shared / (areas[:, None] + areas - shared)


def contrast(values: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Mean of the values (H, W) inside each of N masks, bool (N, H, W), minus outside: (N,)."""
    return np.array([values[mask].mean() - values[~mask].mean() for mask in masks])


def correlation(values: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Of the values (H, W) with each of N masks, bool (N, H, W): (N,) in [-1, 1]."""
    return np.array([np.corrcoef(values.ravel(), mask.ravel())[0, 1] for mask in masks])


def edges(picture: np.ndarray) -> np.ndarray:
    """Length of the gradient of the Lab colour, float32 (H, W)."""
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    return np.linalg.norm(np.hypot(cv2.Sobel(lab, -1, 1, 0), cv2.Sobel(lab, -1, 0, 1)), axis=-1)


def along_outline(values: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Mean of the values (H, W) along the outline of each of N masks, bool (N, H, W): (N,)."""
    square = np.ones((3, 3))
    outlines = [cv2.morphologyEx(m.astype(np.uint8), cv2.MORPH_GRADIENT, square) for m in masks]
    return np.array([values[outline > 0].mean() for outline in outlines])


def isolate(picture: np.ndarray, mask: np.ndarray, side: int, margin: float = 0.15) -> np.ndarray:
    """The masked object on the blurred picture, cut out as a square of `side` px with a margin."""
    blurred = cv2.GaussianBlur(picture, (0, 0), max(mask.shape) / 12)
    alone = np.where(mask[..., None], picture, blurred)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    extent = max(np.ptp(rows), np.ptp(columns)) + 1
    scale = side / (extent * (1 + 2 * margin))
    x, y = (columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2
    window = np.float32([[scale, 0, side / 2 - x * scale], [0, scale, side / 2 - y * scale]])
    return cv2.warpAffine(
        alone, window, (side, side), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )


def elect(masks: np.ndarray, criteria: list[np.ndarray], temper: float) -> np.ndarray:
    """The vote of N masks, bool (N, H, W), none empty: bool (H, W).

    criteria: (N,) each, greater is better; a mask's score is half the sum of all, standardised.
    temper: of the softmax of the scores; smaller leaves the word to the best ones.
    A pixel is in the elected mask where more than half of the votes are for it.
    """
    table = torch.from_numpy(np.array(criteria)).float()
    scores = 0.5 * standardize(table[:, None])[:, 0].sum(0)
    votes = torch.softmax(scores / temper, 0).numpy()
    elected = np.tensordot(votes, masks, 1) > 0.5
    return elected if elected.any() else masks[int(scores.argmax())]
