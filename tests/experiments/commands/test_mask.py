"""`atelier mask`."""

import re

import numpy as np
from PIL import Image


def test_mask_has_the_pictures_size_and_eight_bits(cli, tmp_path):
    done = cli("mask", "skimage:rocket", "rocket", "-o", "out/rocket.png")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "out/rocket.png\n"
    assert re.search(r"by BridgeSegmenter, covers \d\.\d% .*, confidence 0\.\d\d", done.stderr)
    mask = Image.open(tmp_path / "out" / "rocket.png")
    assert (mask.mode, mask.size) == ("L", (640, 427))
    values = np.asarray(mask)
    assert values[200, 322] > 200
    assert values[30, 30] < 50
