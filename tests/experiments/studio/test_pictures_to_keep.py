"""Curves, layers and ZIP files of a run."""

import io
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from datamodules.run_folder import CHECKPOINT, RunFolder
from experiments.studio.curves import MOST, curves
from experiments.studio.layers import write_layers
from experiments.studio.zipping import write_zip
from tests.support.noise_runs import run_folder


@pytest.fixture
def finished(tmp_path):
    """A run as it is on the disk."""
    return run_folder(tmp_path / "run")


def test_a_curve_falls_with_its_loss_and_says_its_last_value():
    page = curves({"total": [4.0, 2.0, 1.5], "<b>": [1.0, 1.0, 1.0]})
    assert "total 1.5" in page and "<b>" not in page
    svg = ElementTree.fromstring(page.replace("&lt;b&gt;", "b"))
    points = svg.find(".//polyline").get("points").split()
    heights = [float(point.split(",")[1]) for point in points]
    assert heights == sorted(heights) and heights[0] < heights[-1]


def test_long_courses_are_drawn_with_few_points():
    assert curves({"total": list(range(5000))}).count(",") < 2 * MOST
    assert curves({"total": [1.0]}) == ""


def test_layers_lie_on_each_other_as_the_run_blends_them(finished, tmp_path):
    file = write_layers(RunFolder(finished), tmp_path / "cat.ora")
    with zipfile.ZipFile(file) as archive:
        assert archive.infolist()[0].filename == "mimetype"
        assert archive.read("mimetype") == b"image/openraster"
        stack = ElementTree.fromstring(archive.read("stack.xml"))
        names = [layer.get("src") for layer in stack.iter("layer")]
        object_, _, photo = (Image.open(io.BytesIO(archive.read(name))) for name in names)
    output, mask = (np.asarray(Image.open(finished / f)) for f in ("output.png", "mask.png"))
    merged = np.asarray(Image.alpha_composite(photo.convert("RGBA"), object_.convert("RGBA")))
    for inside in (mask == 255, mask == 0):
        assert (merged[..., :3][inside] == output[..., :3][inside]).all()


def test_a_zip_has_the_run_without_its_checkpoint(finished, tmp_path):
    (finished / CHECKPOINT).write_bytes(b"large")
    file = write_zip(finished, tmp_path / "run.zip")
    with zipfile.ZipFile(file) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
    assert {"output.png", "config.yaml", "result.json"} <= names
    assert CHECKPOINT not in names
