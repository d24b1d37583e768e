"""`atelier mask`."""

import re

import numpy as np
import pytest
from PIL import Image


def test_a_phrase_may_leave_something_out(cli, tmp_path):
    sides = {"left": 0, "top": 0, "right": 0.5, "bottom": 1}
    box = [word for side, at in sides.items() for word in (f"--data.segmenter.{side}", at)]
    box += ["--segmenter", "box"]
    refusal = cli("mask", "skimage:rocket", "everything except the rocket", *box)
    assert refusal.returncode == 2
    assert "'rocket' is to stay as it is, but BoxSegmenter looks for no phrase" in refusal.stderr


@pytest.mark.xdist_group("masks")  # a process looks only once for an object in a picture
def test_mask_has_the_pictures_size_and_eight_bits(cli, tmp_path):
    result = cli("mask", "skimage:rocket", "rocket", "-o", "out/rocket.png")
    assert result.returncode == 0, result.stderr
    assert result.stdout == "out/rocket.png\n"
    assert re.search(r"by BridgeSegmenter, covers \d\.\d% .*, confidence 0\.\d\d", result.stderr)
    mask = Image.open(tmp_path / "out" / "rocket.png")
    assert (mask.mode, mask.size) == ("L", (640, 427))
    values = np.asarray(mask)
    assert values[200, 322] > 200
    assert values[30, 30] < 50
