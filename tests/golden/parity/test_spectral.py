"""Spectral segmentation against the code of Melas-Kyriazi et al. (2022)."""

import numpy as np
import pytest

from datamodules.segmentation.features.base import DenseFeatures
from datamodules.segmentation.spectral import (
    SpectralSegmenter,
    fiedler,
    published_color_affinity,
    smaller_side,
)
from tests.golden.parity.published import golden


class Recorded(DenseFeatures):
    """The recorded features, whatever the picture."""

    def __call__(self, picture):
        return golden("spectral")["features"]


@pytest.mark.parity("Spectral segmentation, affinity and sign")
def test_the_colour_affinity_is_the_published_one():
    recorded = golden("spectral")
    ours = published_color_affinity(recorded["picture_small"].numpy()).toarray()
    theirs = np.zeros_like(ours)
    rows, columns = recorded["knn_rows"].long(), recorded["knn_columns"].long()
    theirs[rows, columns] = recorded["knn_values"]
    # Two places have their last neighbour at equal distances twice; either may be linked.
    assert (ours != theirs).sum() <= 8
    assert ours.sum() == theirs.sum()
    assert set(np.unique(ours)) == {0, 1, 2, 3, 4}


@pytest.mark.parity("Spectral segmentation, affinity and sign")
@pytest.mark.parametrize("weight", [0, 1, 10])
def test_the_cut_and_its_side_are_the_published_ones(weight, agree):
    recorded = golden("spectral")
    segmenter = SpectralSegmenter(Recorded(), color_weight=weight, published=True)
    photo = recorded["picture_small"].numpy()
    cut = fiedler(segmenter.affinity(recorded["features"], photo)).reshape(16, 20)
    ours = smaller_side(cut)
    theirs = recorded[f"vectors_{weight}"][1].double().numpy()
    cosine = (ours * theirs).sum() / np.linalg.norm(ours) / np.linalg.norm(theirs)
    agree(cosine, 1.0, within=1e-6)
    assert np.array_equal(ours > 0, theirs > 0)


@pytest.mark.parity("Spectral segmentation, affinity and sign")
def test_the_published_default_leaves_colours_out():
    recorded = golden("spectral")
    photo = recorded["picture_small"].numpy()
    published = SpectralSegmenter(Recorded(), published=True)
    plain = SpectralSegmenter(Recorded(), color_weight=0)
    affinities = [s.affinity(recorded["features"], photo) for s in (published, plain)]
    assert np.array_equal(*affinities)
