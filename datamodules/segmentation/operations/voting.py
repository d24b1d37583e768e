"""Election among candidate masks: no single criterion finds the best one, so all of them vote."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from datamodules.segmentation.operations.arrays import standardize


def overlaps(masks: np.ndarray) -> np.ndarray:
    """Intersection over union of each pair of N masks, bool (N, H, W), none empty: (N, N)."""
    flat = masks.reshape(len(masks), -1).astype(np.float32)
    shared, areas = flat @ flat.T, flat.sum(1)
    return shared / (areas[:, None] + areas - shared)


def contrast(values: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Mean of values (H, W) inside each of N masks, bool (N, H, W), minus that outside: (N,)."""
    return np.array([values[mask].mean() - values[~mask].mean() for mask in masks])


def correlation(values: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Correlation of values (H, W) with each of N masks, bool (N, H, W): (N,) in [-1, 1]."""
    return np.array([np.corrcoef(values.ravel(), mask.ravel())[0, 1] for mask in masks])


def edges(picture: np.ndarray) -> np.ndarray:
    """Gradient magnitude of a picture, uint8 (H, W, 3), in Lab colour: float32 (H, W)."""
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    return np.linalg.norm(np.hypot(cv2.Sobel(lab, -1, 1, 0), cv2.Sobel(lab, -1, 0, 1)), axis=-1)


def along_outline(values: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Mean of values (H, W) along the outline of each of N masks, bool (N, H, W): (N,)."""
    square = np.ones((3, 3))
    outlines = [cv2.morphologyEx(m.astype(np.uint8), cv2.MORPH_GRADIENT, square) for m in masks]
    return np.array([values[outline > 0].mean() for outline in outlines])


def smallness(masks: np.ndarray) -> np.ndarray:
    """Inverse root of the area of N masks, bool (N, H, W), as a share of the picture: (N,) >= 1.

    Of masks that are hot alike, those that swallow what is behind the object are the larger ones.
    """
    return 1 / np.sqrt(masks.mean((1, 2)))


def isolate(picture: np.ndarray, mask: np.ndarray, side: int, margin: float = 0.15) -> np.ndarray:
    """Crop the masked object, before a blurred background, to a square, uint8 (side, side, 3).

    margin: space on each side of the object, as a share of its longer side.
    """
    # A blur of a twelfth of the picture leaves colours and light, but nothing to recognise.
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


def elect(masks: np.ndarray, criteria: list[tuple[float, np.ndarray]], temper: float) -> np.ndarray:
    """Elect a mask, bool (H, W), from N candidates, bool (N, H, W), none of them empty.

    A candidate's score is half the weighted sum of its standardised criteria, its weight the
    softmax of the scores. Pixels with more than half of the weight are elected; where no pixel has
    that much, the best candidate is.

    Args:
        masks: the candidates.
        criteria: weights, and arrays (N,) in which greater is better.
        temper: temperature of the softmax, > 0; the smaller, the more the best ones decide.
    """
    strengths, arrays = zip(*criteria, strict=True)
    table = standardize(torch.from_numpy(np.array(arrays)).float()[:, None])[:, 0]
    scores = 0.5 * torch.tensor(strengths) @ table
    weights = torch.softmax(scores / temper, 0).numpy()
    elected = np.tensordot(weights, masks, 1) > 0.5
    return elected if elected.any() else masks[int(scores.argmax())]
