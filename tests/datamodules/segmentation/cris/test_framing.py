"""Pictures before and maps after CRIS's network, as the published code makes them with OpenCV.

The installed OpenCV 5.0 gives the same bytes; 4.12 interpolates slightly differently: by 1 of 255,
6e-4 of the probability, and 9 of 336000 pixels of the mask.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from datamodules.segmentation.cris.framing import SIDE, framed, normalised, unframed
from tests.golden.parity import recipe
from tests.support.cris import GOLDEN

SIZES = {"wide": (150, 260), "tall": (700, 480)}
OWN = f"prepost_cv{cv2.__version__[0]}.npz"  # of the installed version
THRESHOLD = 0.35


@pytest.fixture(params=["prepost_cv4.npz", "prepost_cv5.npz"])
def golden(request):
    """Golden data by name; "exact" tells whether it is of the installed version."""
    return {**np.load(GOLDEN / request.param), "exact": request.param == OWN}


@pytest.mark.parity("CRIS, picture, words and mask")
@pytest.mark.parametrize("name", SIZES)
def test_pictures_before_the_network_are_those_of_the_published_code(golden, name, agree):
    square = framed(recipe.picture(*SIZES[name]))
    assert (square.shape, square.dtype) == ((SIDE, SIDE, 3), np.uint8)
    within = 0 if golden["exact"] else 1.001 / 255
    agree(square[3::16, 3::16] / 255, golden[f"{name}_input"] / 255, within)
    values = normalised(square).double()
    measured = [values.mean(), values.std(correction=0), values.min(), values.max()]
    tolerance = 1e-6 if golden["exact"] else 1e-4
    np.testing.assert_allclose(measured, golden[f"{name}_input_stats"], rtol=0, atol=tolerance)


@pytest.mark.parity("CRIS, picture, words and mask")
@pytest.mark.parametrize("name", SIZES)
def test_masks_after_the_network_are_those_of_the_published_code(golden, name, agree):
    logits = torch.from_numpy(recipe.map_of_logits())
    probability = unframed(logits, *SIZES[name]).numpy()
    assert probability.shape == SIZES[name]
    tolerance = 1e-6 if golden["exact"] else 7e-4
    sample = golden[f"{name}_probability"]
    agree(probability[2::10, 2::10].copy(), sample, within=tolerance)
    mask = np.unpackbits(golden[f"{name}_mask_bits"], count=probability.size)
    wrong = np.count_nonzero((probability > THRESHOLD).flatten() != mask)
    assert wrong <= (0 if golden["exact"] else 9)


@pytest.mark.parametrize("size", [(37, 53), (416, 416), (900, 300)])
def test_what_is_marked_in_the_square_comes_back_to_its_place_in_the_picture(size):
    """A bright rectangle, as if the network found it."""
    height, width = size
    picture = np.zeros((height, width, 3), np.uint8)
    picture[height // 4 : height // 2, width // 4 : width // 2] = 255
    bright = cv2.resize(framed(picture)[..., 0].astype(np.float32), (104, 104)) > 190
    mask = unframed(torch.from_numpy(bright).float() * 12 - 6, height, width) > 0.5
    expected = torch.from_numpy(picture[..., 0] > 127)
    assert (mask & expected).sum() > 0.8 * (mask | expected).sum()
