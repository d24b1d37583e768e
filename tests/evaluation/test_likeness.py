"""Outputs that are nearly the same picture."""

import numpy as np
import pytest
from PIL import Image

from evaluation.likeness import alike_methods, nearly_same, remark
from tests.support.reports import run
from tests.support.run_folders import write_run

PHOTO = np.random.default_rng(0).integers(40, 200, (64, 64, 3), dtype=np.uint8)


def painted(folder, shift=0, noise=0.0, box=slice(None)):
    """A run whose output is the photo, in a box brighter by `shift`, with noise."""
    output = PHOTO.astype(float)
    random = np.random.default_rng(len(folder.name)).normal(0, 1, PHOTO.shape)
    output[box, box] += shift + noise * random[box, box]
    output = Image.fromarray(output.clip(0, 255).round().astype(np.uint8))
    return write_run(folder, {"content.png": Image.fromarray(PHOTO), "output.png": output})


@pytest.mark.parametrize(
    ("shift", "noise", "box", "alike"),
    [
        (50, 0.0, slice(None), True),  # the same
        (50, 4.0, slice(None), True),
        (50, 20.0, slice(None), False),
        (50, 20.0, slice(10, 18), False),  # a small object in an equal background
        (0, 0.0, slice(None), False),  # one has not painted at all
    ],
)
def test_pictures_are_compared_where_either_was_painted(tmp_path, shift, noise, box, alike):
    one = painted(tmp_path / "a", 50, noise, slice(10, 18) if box.stop else slice(None))
    other = painted(tmp_path / "bc", shift, noise, box)
    assert nearly_same(one, other) is alike
    assert nearly_same(other, one) is alike


def test_two_unpainted_pictures_are_alike_and_two_sizes_are_not(tmp_path):
    one, other = painted(tmp_path / "a"), painted(tmp_path / "b")
    assert nearly_same(one, other)
    Image.fromarray(PHOTO[:60]).save(other / "output.png")
    assert not nearly_same(one, other)


def test_methods_that_paint_alike_in_most_tasks_are_said(tmp_path):
    runs = []
    for style in range(3):
        for method, shift in (("clipstyler", 50), ("sem_cs", 50 + 30 * (style == 2)), ("x", -30)):
            name = f"{method}{style}"
            painted(tmp_path / name, shift)
            labels = {"method": method, "style": style, "picture": "p"}
            labels |= {"segmenter": "sam3"} if method == "x" else {}
            runs.append(run(name, method, labels=labels))
    alike = alike_methods(tmp_path, runs)
    assert alike == {("clipstyler", "sem_cs"): (2, 3)}
    assert "CLIPstyler and Sem-CS (2 of 3)" in remark(alike)
    assert "--model.generator stylenet" in remark(alike)
    assert remark({}) == ""
