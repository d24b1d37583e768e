"""Regions without a shape that begin at an edge of the picture: sky from above, ground from below.

Colour and horizon decide together. GrabCut spreads the colours of a smooth strip along the edge,
within several reaches; the region whose border is the strongest edge for its texture and range of
colours ends at the horizon. (Shen and Wang 2013 choose a sky's border by its edge and its colours,
column by column; a mast or a tower would end that.)
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import numpy as np

from datamodules.segmentation.operations.grabcut import grow
from datamodules.segmentation.operations.voting import along_outline, edges

ITERATIONS = 4  # of GrabCut: colours must spread from a narrow strip over half of the picture
STRIP = 0.06  # share of the height, from the edge, that certainly belongs to the region
REACHES = (0.12, 0.2, 0.3, 0.45, 0.65, 0.9)  # shares of the height that probably do
BEYOND = 0.25  # farther down than a reach by this share of the height, nothing belongs to it
LAST = 0.03  # share of the height, at the opposite edge, that certainly does not belong to it
BLUR = 1.5  # px; deviation of the blur that removes noise before slopes are measured
STEEP = 40  # slope (Sobel) of 8-bit grey values from which a place has texture or an edge
SPECK = 5  # px; frame within a region that is left out where its texture is measured


def from_above(picture: np.ndarray, roughness: float, spread: float) -> np.ndarray:
    """Region, bool (H, W), along the upper edge of a picture, uint8 (H, W, 3); may be empty.

    roughness, spread: how much texture and a wide range of colours count against a region, >= 0,
    compared to the strength of its border.
    """
    with ThreadPoolExecutor() as pool:  # OpenCV's random state is per thread
        regions = list(pool.map(partial(_within, picture, _rough(picture)), REACHES))
    regions = [region for region in regions if region.any() and not region.all()]
    if not regions:
        return np.zeros(picture.shape[:2], bool)
    strength, lab = edges(picture), cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    texture = np.array([texture_in(region, strength) for region in regions])
    range_of_colors = np.array([np.sqrt(lab[region].var(0).sum()) for region in regions])
    border = along_outline(strength, np.array(regions))
    return regions[int(np.argmax(border - roughness * texture - spread * range_of_colors))]


def texture_in(region: np.ndarray, strength: np.ndarray) -> float:
    """Upper quartile of the edges' strength (H, W) inside a region, bool (H, W), not empty."""
    inside = cv2.erode(region.astype(np.uint8), np.ones((SPECK, SPECK))) > 0
    return float(np.percentile(strength[inside if inside.any() else region], 75))


def _within(picture: np.ndarray, rough: np.ndarray, reach: float) -> np.ndarray:
    """Region along the upper edge, bool (H, W), of which most lies within a reach."""
    depth = np.linspace(0, 1, len(picture))[:, None] + np.zeros(picture.shape[:2])
    seeds = np.where((depth < reach) & ~rough, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    seeds[(depth < STRIP) & ~rough] = cv2.GC_FGD
    seeds[depth > min(reach + BEYOND, 1 - LAST)] = cv2.GC_BGD
    if not (seeds == cv2.GC_FGD).any():
        return np.zeros(picture.shape[:2], bool)
    mask = grow(picture, seeds, ITERATIONS)
    _, pieces = cv2.connectedComponents(mask.astype(np.uint8))
    edge = np.unique(pieces[: max(1, round(STRIP * len(picture)))])
    return np.isin(pieces, edge[edge > 0])


def _rough(picture: np.ndarray) -> np.ndarray:
    """Texture and edges of a picture, bool (H, W), widened by a pixel."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    smooth = cv2.GaussianBlur(grey, (0, 0), BLUR).astype(float)
    slope = np.hypot(cv2.Sobel(smooth, -1, 1, 0), cv2.Sobel(smooth, -1, 0, 1))
    return cv2.dilate((slope > STEEP).astype(np.uint8), np.ones((3, 3))) > 0
