"""Patches and whole pictures as CLIP gets them, against the published codes."""

import pytest
import torch
from open_clip import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

from lightning_modules.encoders.base import JointEncoder
from lightning_modules.steps.patches import cut, homography
from tests.golden.parity.published import golden, largest_difference, picture


class Side224(JointEncoder):
    """No network: an encoder's resizing at CLIP's size, with CLIP's statistics."""

    image_size, identity = 224, "none"

    def __init__(self):
        super().__init__(OPENAI_DATASET_MEAN, OPENAI_DATASET_STD)

    def embed_images(self, images):
        return (images - self.input_mean) / self.input_std

    def text_features(self, texts):
        raise NotImplementedError


@pytest.fixture(scope="module")
def photo():
    return picture("view", 512, 512)


def corners_of(recorded, side):
    """Corners (N, 4, 2) in units of the patch, for points in pixels that move to others.

    The published points are pixel indices from 0 to side - 1; the map continues to the edge.
    """
    starts, ends = recorded["starts"].double(), recorded["ends"].double()
    to_start, to_end = homography(starts), homography(ends)
    square = torch.tensor([[0, 0, 1], [side, 0, 1], [side, side, 1], [0, side, 1]]).double()
    moved = square @ (to_end @ to_start.inverse()).mT
    return moved[..., :2] / moved[..., 2:] / side


@pytest.mark.parity("Patches for CLIP")
@pytest.mark.parametrize("fade_twice", [False, True])
@pytest.mark.parametrize("through", [224, 400, 512])
def test_patches_are_the_published_ones(photo, through, fade_twice, agree):
    recorded, side = golden("patches"), 128
    patches = cut(
        photo.double(),
        recorded["boxes"].double(),
        corners_of(recorded, side),
        side,
        224,
        0 if through == 224 else through,
        fade_twice,
    )
    name = f"{'fill0' if fade_twice else 'zeros'}_{through}_sample"
    agree(patches[:, :, 3::14, 3::14], recorded[name], within=1e-4)


@pytest.mark.parity("Whole picture for CLIP")
def test_the_whole_picture_is_resized_as_published(photo, agree):
    view = Side224().view(photo, antialias=False)[0]
    recorded = golden("global_view")["view_sample"]
    agree(view[:, ::5, ::5], recorded, within=1e-5)
    smooth = Side224().view(photo)[0]
    assert largest_difference(smooth[:, ::5, ::5], recorded) > 0.1


@pytest.mark.parity("Soulstyler, look-alike crops")
def test_crops_are_compared_without_mean_and_std(photo, agree):
    recorded, encoder = golden("soulstyler_likeness_input"), Side224()
    crops = torch.cat([photo[..., y : y + 64, x : x + 64] for x, y in recorded["boxes"].tolist()])
    inputs = encoder.embed_images(encoder.bare(encoder.view(crops, antialias=False)))
    agree(inputs[:, :, ::16, ::16], recorded["sample"], within=1e-5)
