"""Picture and masks as the published codes get them."""

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.images import load_picture, save_png, to_picture
from datamodules.parsing.tree import TreeParser
from datamodules.segmentation.whole import WholePicture
from datamodules.stylization import StylizationDataModule
from experiments.run.configuration import compose


@pytest.mark.parity("Picture and mask")
def test_pictures_are_squashed_and_masks_are_binary_in_the_reference_preset(tmp_path, agree):
    settings = compose("clipstyler", "reference")["data"]
    switches = {name: settings[name] for name in ("square", "binary_masks")}
    assert switches == {"square": True, "binary_masks": True}
    photo = load_picture("skimage:chelsea")
    soft = torch.linspace(0, 1, photo.width).expand(photo.height, -1)
    save_png(to_picture(soft), tmp_path / "mask.png")
    data = StylizationDataModule(
        image="skimage:chelsea",
        parser=TreeParser(),
        segmenter=WholePicture(),
        object="cat",
        style="fire",
        mask=str(tmp_path / "mask.png"),
        size=128,
        **switches,
    )
    data.setup()
    batch = data.task.batch()
    published = np.asarray(photo.resize((128, 128), Image.Resampling.BICUBIC)) / 255
    agree(batch.content[0].permute(1, 2, 0), published, within=1e-6)
    assert set(batch.masks.unique().tolist()) == {0, 1}
    assert abs(batch.masks.mean().item() - 0.5) < 0.02
