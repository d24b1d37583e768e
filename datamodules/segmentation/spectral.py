"""Salient object without a phrase: deep spectral segmentation (Melas-Kyriazi et al. 2022).

First phase of Sem-CS. The places of a picture are the nodes of a graph whose edges are weighted by
the similarity of deep features and of colours: W = W_feat + lambda W_knn. The eigenvector of the
second smallest eigenvalue of the graph's Laplacian is the relaxed normalised cut; its sign is the
mask, which GrabCut and a guided filter fit to the edges of the picture (in the paper a dense CRF).

The colour affinity and the side of the cut that is the object are ours by default: Lab colours, and
the side that meets less of the picture's frame. With `published` they are those of the published
code.
"""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np
import torch
from scipy.sparse import csr_array
from scipy.sparse.linalg import eigsh
from scipy.spatial import cKDTree
from torch import Tensor
from torch.nn import functional as F

from datamodules.images import resize_mask, to_array
from datamodules.segmentation.base import ObjectNotFoundError, Segmenter
from datamodules.segmentation.features.base import DenseFeatures
from datamodules.segmentation.features.efficientnet import EfficientNetDense
from datamodules.segmentation.operations.arrays import fit_array, resize_array
from datamodules.segmentation.operations.grabcut import grab_cut
from datamodules.segmentation.operations.guided_filter import guided_filter

SMALLEST, LARGEST = 0.02, 0.98  # shares of the picture beyond which a mask marks no object
SIDE = 384  # px; longer side at which GrabCut works
EDGE = 1e-4  # variance of colours in [0, 1], within a window, above which there is an edge
PUBLISHED_NEIGHBOURS = ((20, 2.0), (10, 0.1))  # number, and weight of the position
SPECK = 0.1  # share of the largest piece's area below which another piece is dropped


def feature_affinity(features: Tensor) -> np.ndarray:
    """W_feat between N = h w places, (N, N): cosines of the features (D, h, w), negative ones 0."""
    flat = F.normalize(features.flatten(1), dim=0).double()
    return (flat.T @ flat).clamp(min=0).numpy()


def color_affinity(picture: np.ndarray, k: int) -> csr_array:
    """W_knn between the N = h w pixels of a picture, uint8 (h, w, 3): (N, N), symmetric, sparse.

    1 between a pixel and its k nearest ones in Lab colour and position (KNN matting, Chen et al.
    2013).
    """
    height, width = picture.shape[:2]
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).reshape(-1, 3) / 255
    y, x = np.mgrid[:height, :width].reshape(2, -1) / max(height, width)
    links = _links(np.column_stack([lab, x, y]), k)
    return links.maximum(links.T)


def published_color_affinity(picture: np.ndarray) -> csr_array:
    """W_knn of the published code: the same in RGB colour, from two neighbourhoods.

    The 20 nearest pixels where positions, from 0 to 1 along each side, count twice, and the 10
    nearest where they count a tenth; a link adds 1 in each direction, so that entries are 0 to 4.
    """
    height, width = picture.shape[:2]
    rgb = picture.reshape(-1, 3) / 255
    y, x = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    position = np.column_stack([x.ravel(), y.ravel()])
    each = [_links(np.column_stack([rgb, c * position]), k) for k, c in PUBLISHED_NEIGHBOURS]
    return sum(links + links.T for links in each)


def _links(places: np.ndarray, k: int) -> csr_array:
    """1 from each of N places (N, D) to its k nearest ones, itself among them: (N, N)."""
    nearest = cKDTree(places).query(places, k=range(1, min(k, len(places)) + 1))[1]
    rows = np.repeat(np.arange(len(places)), nearest.shape[1])
    return csr_array((np.ones(rows.size), (rows, nearest.ravel())), shape=(len(places),) * 2)


def fiedler(weights: np.ndarray) -> np.ndarray:
    """Second eigenvector y of (D - W) y = mu D y, (N,): the relaxed normalised cut."""
    degree = np.sqrt(weights.sum(1))
    normalised = weights / degree[:, None] / degree[None]
    # The largest eigenvalues of D^-1/2 W D^-1/2 are 1 minus the smallest ones of its Laplacian. Of
    # the very largest, 1, the vector has a closed form; moving it to -1 leaves the second on top,
    # even if that is 1 too because the graph is disconnected.
    first = degree / np.linalg.norm(degree)
    normalised -= 2 * np.outer(first, first)
    start = np.random.default_rng(0).standard_normal(len(first))  # the same cut at every call
    _, vectors = eigsh(normalised, k=1, which="LA", v0=start)
    return vectors[:, 0] / degree


class SpectralSegmenter(Segmenter):
    """Segmenter of the salient object; phrases are ignored.

    Args:
        features: dense features by which places are compared; null = EfficientNetDense.
        color_weight: lambda, the weight of the colour affinity relative to the features', >= 0;
            null = 1, and 0 if `published`, the default of the published code.
        neighbours: nearest neighbours in colour per place, >= 1; not used if `published`.
        refine_radius: radius of the guided filter that fits the edge of the mask to the picture, in
            px of a picture whose longer side is 384 px; 0 = off.
        published: take the colour affinity of the published code, and as the object the smaller
            side of the cut, wherever it lies.
    """

    needs_phrase: ClassVar[bool] = False

    def __init__(
        self,
        features: DenseFeatures | None = None,
        color_weight: float | None = None,
        neighbours: int = 10,
        refine_radius: int = 4,
        published: bool = False,
    ) -> None:
        self.features = features or EfficientNetDense()
        self.color_weight = color_weight
        self.neighbours = neighbours
        self.refine_radius = refine_radius
        self.published = published

    def segment(self, content: Tensor, phrase: str) -> Tensor:
        self.ignore(phrase)
        photo = to_array(content)
        maps = self.features(photo)
        cut = fiedler(self.affinity(maps, photo)).reshape(maps.shape[1:])
        side = smaller_side(cut) if self.published else side_off_the_frame(cut)
        picture = fit_array(photo, SIDE)
        heat = resize_array(side.astype(np.float32), *picture.shape[:2])
        mask = _large_pieces(grab_cut(picture, heat, level=0.0))
        if not SMALLEST < mask.mean() < LARGEST:
            raise ObjectNotFoundError(
                "No object stands out in this picture; name one with --object and "
                "--data.segmenter datamodules.segmentation.bridge.BridgeSegmenter, or give --mask"
            )
        if self.refine_radius:
            mask = guided_filter(picture / 255, mask, self.refine_radius, EDGE).clip(0, 1)
        return resize_mask(torch.from_numpy(mask).float(), content.shape[1:])

    def affinity(self, maps: Tensor, photo: np.ndarray) -> np.ndarray:
        """Weights W between N = h w places, symmetric, (N, N), >= 0.

        maps: features (D, h, w). photo: uint8 (H, W, 3).
        """
        default = 0.0 if self.published else 1.0
        weight = default if self.color_weight is None else self.color_weight
        weights = feature_affinity(maps)
        if not weight:
            return weights
        small = resize_array(photo, *maps.shape[1:])
        if self.published:
            return weights + weight * published_color_affinity(small)
        return weights + weight * color_affinity(small, self.neighbours)


def smaller_side(cut: np.ndarray) -> np.ndarray:
    """Orient a cut (h, w) so that at most half of its values are positive."""
    return cut if (cut > 0).mean() <= 0.5 else -cut


def side_off_the_frame(cut: np.ndarray) -> np.ndarray:
    """Orient a cut (h, w) so that the side with the smaller share of the frame is positive."""
    frame = np.concatenate([cut[0], cut[-1], cut[1:-1, 0], cut[1:-1, -1]])
    return cut if (frame > 0).mean() <= (frame < 0).mean() else -cut


def _large_pieces(mask: np.ndarray) -> np.ndarray:
    """Remove the small pieces of a mask, bool (H, W)."""
    _, pieces, measures, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = measures[:, cv2.CC_STAT_AREA]
    areas[0] = 0  # the background
    return (areas >= max(1, SPECK * areas.max()))[pieces]
