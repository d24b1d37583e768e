"""The salient object without any phrase: deep spectral segmentation (Melas-Kyriazi et al. 2022).

Sem-CS's first phase. Places of the picture are the nodes of a graph; two are joined as strongly as
their deep features and their colours agree: W = W_feat + lambda W_knn. The eigenvector of the
second smallest eigenvalue of the graph's Laplacian cuts it in two where that severs least; its
sign is the mask, which GrabCut and a guided filter fit to the picture's edges (the paper: a dense
CRF).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import cv2
import numpy as np
import torch
from scipy.sparse import csr_array
from scipy.sparse.linalg import eigsh
from scipy.spatial import cKDTree
from torch import Tensor
from torch.nn import functional as F

from datamodules.images import resize as resize_mask
from datamodules.images import to_picture
from datamodules.models.packaged import efficientnet_lite0
from datamodules.segmentation.base import Segmenter
from datamodules.segmentation.operations.arrays import both_ways, fit, fold, resize, upsample
from datamodules.segmentation.operations.grabcut import grab_cut
from datamodules.segmentation.operations.guided_filter import guided_filter
from datamodules.support.errors import AtelierError

SMALLEST, LARGEST = 0.02, 0.98  # share of the picture; beyond, the cut has found no object
EDGE = 1e-4  # variance of the colours in a window, in [0, 1], above which there is an edge


class DenseFeatures(ABC):
    """Features at every place of a picture."""

    @abstractmethod
    def __call__(self, picture: np.ndarray) -> Tensor:
        """A map (D, h, w) of a picture, uint8 (H, W, 3)."""


class EfficientNetDense(DenseFeatures):
    """Blocks of the embedded EfficientNet-Lite0 at strides 8 and 16, in DINO's place.

    Args:
        size: longer side in pixels at which the picture is looked at.
    """

    def __init__(self, size: int = 384) -> None:
        self.size = size

    @torch.no_grad()
    def __call__(self, picture: np.ndarray) -> Tensor:
        network = efficientnet_lite0()
        x = network.bn1(network.conv_stem(both_ways(fit(picture, self.size, 32))))
        maps = []
        for block in network.blocks[:5]:
            x = block(x)
            maps.append(fold(x))
        middle, deep = maps[2], maps[4]
        size = tuple(middle.shape[1:])
        # Each depth counts alike, however many channels it has.
        parts = [F.normalize(m - m.mean((1, 2), keepdim=True), dim=0) for m in (middle, deep)]
        return torch.cat([upsample(part, size) for part in parts])


def affinity(features: Tensor, picture: np.ndarray, color_weight: float, k: int) -> np.ndarray:
    """W = W_feat + color_weight * W_knn over the places of a map, (N, N), symmetric, >= 0.

    W_feat: cosines of the features (D, h, w), negative ones dropped. W_knn: 1 between a place and
    its k nearest in colour and position (KNN matting, Chen et al. 2013).
    """
    flat = F.normalize(features.flatten(1), dim=0).double()
    by_feature = (flat.T @ flat).clamp(min=0).numpy()
    return by_feature + color_weight * color_affinity(picture, features.shape[1:], k)


def color_affinity(picture: np.ndarray, size: Sequence[int], k: int) -> csr_array:
    """W_knn of a picture at a size (h, w), (N, N) with about k N entries."""
    height, width = size
    lab = cv2.cvtColor(resize(picture, height, width), cv2.COLOR_RGB2LAB).reshape(-1, 3) / 255
    y, x = np.mgrid[:height, :width].reshape(2, -1) / max(height, width)
    places = np.column_stack([lab, x, y])
    nearest = cKDTree(places).query(places, k=range(1, min(k, len(places)) + 1))[1]
    rows = np.repeat(np.arange(len(places)), nearest.shape[1])
    joined = csr_array((np.ones(rows.size), (rows, nearest.ravel())), shape=(len(places),) * 2)
    return joined.maximum(joined.T)


def fiedler(weights: np.ndarray) -> np.ndarray:
    """Second eigenvector y of (D - W) y = mu D y, (N,): the normalised cut, relaxed."""
    degree = np.sqrt(weights.sum(1))
    normalised = weights / degree[:, None] / degree[None]
    # The largest eigenvalues of D^-1/2 W D^-1/2 are 1 minus the smallest of its Laplacian. The
    # very largest, 1, is known with its vector; at -1 it is out of the way, so that the second is
    # found even where it is 1 too, the graph being in pieces.
    first = degree / np.linalg.norm(degree)
    normalised -= 2 * np.outer(first, first)
    start = np.random.default_rng(0).standard_normal(len(first))  # the same cut each time
    _, vectors = eigsh(normalised, k=1, which="LA", v0=start)
    return vectors[:, 0] / degree


class SpectralSegmenter(Segmenter):
    """Finds what stands out; the phrase is not read.

    Args:
        features: what the places of a picture are compared by.
        color_weight: lambda, the weight of the colour affinity beside the features', >= 0.
        neighbours: colour neighbours of each place, >= 1.
        refine_radius: of the guided filter that softens the mask's edge along the picture's, in
            pixels of the 384 that GrabCut sees; 0 = off.
    """

    needs_phrase: ClassVar[bool] = False

    def __init__(
        self,
        features: DenseFeatures | None = None,
        color_weight: float = 1.0,
        neighbours: int = 10,
        refine_radius: int = 4,
    ) -> None:
        self.features = features or EfficientNetDense()
        self.color_weight = color_weight
        self.neighbours = neighbours
        self.refine_radius = refine_radius

    def segment(self, content: Tensor, phrase: str) -> Tensor:
        self.ignore(phrase)
        whole = np.asarray(to_picture(content))
        maps = self.features(whole)
        weights = affinity(maps, whole, self.color_weight, self.neighbours)
        cut = fiedler(weights).reshape(maps.shape[1:])
        picture = fit(whole, 384)
        heat = resize(_object_side(cut).astype(np.float32), *picture.shape[:2])
        mask = _large_pieces(grab_cut(picture, heat, level=0.0))
        if not SMALLEST < mask.mean() < LARGEST:
            raise AtelierError(
                "No object stands out in this picture; name one with --object and "
                "--data.segmenter datamodules.segmentation.bridge.BridgeSegmenter, or give --mask"
            )
        if self.refine_radius:
            mask = guided_filter(picture / 255, mask, self.refine_radius, EDGE).clip(0, 1)
        return resize_mask(torch.from_numpy(mask).float(), content.shape[1:])


def _object_side(cut: np.ndarray) -> np.ndarray:
    """The eigenvector with the object's side positive: the one that meets the frame less."""
    frame = np.concatenate([cut[0], cut[-1], cut[1:-1, 0], cut[1:-1, -1]])
    return cut if (frame > 0).mean() <= (frame < 0).mean() else -cut


def _large_pieces(mask: np.ndarray, least: float = 0.1) -> np.ndarray:
    """The pieces of a mask, bool (H, W), that have this share of the largest one's area."""
    _, pieces, measures, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = measures[:, cv2.CC_STAT_AREA]
    areas[0] = 0  # what is no piece
    return (areas >= max(1, least * areas.max()))[pieces]
