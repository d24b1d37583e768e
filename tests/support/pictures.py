"""Pictures that several tests use: the fixture `mask`."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def mask(tmp_path_factory):
    """A disc in the middle of a picture with the proportions of scikit-image's chelsea."""
    y, x = np.mgrid[:300, :451]
    disc = (np.hypot(y - 150, x - 225) < 100).astype(np.uint8) * 255
    path = tmp_path_factory.mktemp("masks") / "mask.png"
    Image.fromarray(disc).save(path)
    return path
