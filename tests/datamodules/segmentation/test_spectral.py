"""The spectral cut."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import eigh

from datamodules.images import load_picture, to_tensor
from datamodules.segmentation.features.dino import DINODense
from datamodules.segmentation.features.efficientnet import EfficientNetDense
from datamodules.segmentation.operations.guided_filter import guided_filter
from datamodules.segmentation.spectral import SpectralSegmenter, fiedler
from tests.support.segmenter_files import VIT


def test_the_spectral_segmenter_cuts_by_dino(vit_file):
    features = DINODense(VIT, str(vit_file), size=256)
    content = torch.full((3, 96, 96), 0.2)
    content[0, 32:64, 32:64] = 1
    mask = SpectralSegmenter(features).segment(content, "")
    assert mask.shape == (96, 96)
    assert mask[48, 48] > 0.5 > mask[5, 5]


@pytest.mark.parametrize("name", ["chelsea", "coffee"])
def test_the_cut_agrees_with_a_dense_solver(name):
    picture = np.asarray(load_picture(f"skimage:{name}"))
    segmenter = SpectralSegmenter(EfficientNetDense(256))
    weights = segmenter.affinity(segmenter.features(picture), picture)
    degree = np.sqrt(weights.sum(1))
    normalised = weights / degree[:, None] / degree[None]
    count = len(degree)
    dense = eigh(normalised, subset_by_index=[count - 2, count - 1])[1][:, 0] / degree
    ours = fiedler(weights)
    unit = [cut / np.abs(cut).max() for cut in (ours, dense)]
    assert min(np.abs(unit[0] - unit[1]).max(), np.abs(unit[0] + unit[1]).max()) < 1e-6
    assert np.array_equal(fiedler(weights), ours)


def test_a_disconnected_graph_is_cut_between_its_pieces():
    weights = np.zeros((9, 9))
    weights[:4, :4] = weights[4:, 4:] = 1
    signs = np.sign(fiedler(weights))
    assert (signs[:4] == signs[0]).all() and (signs[4:] == -signs[0]).all()


def test_the_guided_filter_is_a_least_squares_fit_in_each_window():
    rng = np.random.default_rng(0)
    height, width, radius, eps = 7, 9, 2, 1e-2
    guide, mask = rng.random((height, width, 3)), rng.random((height, width))
    fits = np.empty((height, width, 4))
    for i in range(height):
        for j in range(width):
            window = np.s_[max(0, i - radius) : i + radius + 1, max(0, j - radius) : j + radius + 1]
            colours = guide[window].reshape(-1, 3)
            # The ridge as three more rows, one per slope a: sqrt(count eps) a = 0.
            ridge = np.sqrt(len(colours) * eps) * np.eye(3, 4)
            rows = np.vstack([np.column_stack([colours, np.ones(len(colours))]), ridge])
            values = np.concatenate([mask[window].ravel(), np.zeros(3)])
            fits[i, j] = np.linalg.lstsq(rows, values, rcond=None)[0]
    expected = np.empty((height, width))
    for i in range(height):
        for j in range(width):
            window = np.s_[max(0, i - radius) : i + radius + 1, max(0, j - radius) : j + radius + 1]
            expected[i, j] = np.append(guide[i, j], 1) @ fits[window].reshape(-1, 4).mean(0)
    assert np.allclose(guided_filter(guide, mask, radius, eps), expected, atol=1e-10)


def test_the_refined_mask_is_soft_only_at_edges():
    content = to_tensor(load_picture("skimage:coffee"))
    hard = SpectralSegmenter(refine_radius=0).segment(content, "")
    soft = SpectralSegmenter().segment(content, "")
    assert soft.min() >= 0 and soft.max() <= 1
    assert ((hard > 0.5) != (soft > 0.5)).float().mean() < 0.01
    undecided = ((soft > 0.02) & (soft < 0.98)).float().mean()
    assert ((hard > 0.02) & (hard < 0.98)).float().mean() < undecided < 0.1
