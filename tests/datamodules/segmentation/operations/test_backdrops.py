"""Regions that begin at an edge of the picture."""

from __future__ import annotations

import numpy as np

from datamodules.segmentation.operations.backdrops import from_above

SKY = (10.0, 1.0)


def landscape() -> np.ndarray:
    """Sky, wooded hills, and a lake of the sky's colour below them, uint8 (120, 160, 3)."""
    picture = np.empty((120, 160, 3), np.uint8)
    picture[:] = 110, 160, 230
    noise = np.random.default_rng(0).integers(-40, 40, (40, 160, 1))
    picture[30:70] = (np.array([110, 90, 60]) + noise).clip(0, 255)
    return picture


def test_the_sky_ends_at_the_horizon_although_a_lake_below_has_its_colour():
    sky = from_above(landscape(), *SKY)
    assert sky[:26].all()
    assert not sky[34:].any()


def test_a_mast_before_the_sky_does_not_end_it():
    picture = landscape()
    picture[8:40, 70:76] = 30
    sky = from_above(picture, *SKY)
    assert sky[12:26, :66].all() and sky[12:26, 80:].all()
    assert not sky[12:26, 72:74].any() and not sky[34:].any()
