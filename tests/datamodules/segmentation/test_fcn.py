"""FCN."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from datamodules.images import load_picture, to_tensor
from datamodules.segmentation.clipseg import CLIPSegSegmenter
from datamodules.segmentation.cris.segmenter import CRISSegmenter
from datamodules.segmentation.fcn import FCNSegmenter, voc_class
from datamodules.support.errors import AtelierError
from tests.support.segmenter_files import bright_half


def bright_is_cat() -> dict[str, Tensor]:
    """State dict of fcn_resnet101 by which every bright pixel is a cat.

    Convolutions compute means and residuals are zero. Expanded scalars keep the file at a few
    kilobytes; it is loaded like the published one of 200 MB.
    """
    from torchvision.models.segmentation import fcn_resnet101

    with torch.device("meta"):
        shapes = fcn_resnet101(weights=None, weights_backbone=None, aux_loss=True).state_dict()
    tensors = {}
    for name, like in shapes.items():
        value = 0.0
        if like.ndim == 4:
            value = 1 / like[0].numel()
        elif name.endswith("running_var") or (name.endswith("weight") and "bn3" not in name):
            value = 1.0
        tensors[name] = torch.tensor(value, dtype=like.dtype).expand(like.shape)
    cat = torch.zeros(21, 512, 1, 1)
    cat[8] = 20 / 512
    return tensors | {"classifier.4.weight": cat}


@pytest.fixture(scope="module")
def fcn_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("fcn") / "fcn.pth"
    torch.save(bright_is_cat(), path)
    return path


def test_fcn_segments_the_class_that_the_phrase_names(fcn_file):
    segmenter = FCNSegmenter(str(fcn_file), size=64)
    mask = segmenter.segment(bright_half(), "the kittens")
    assert mask.shape == (64, 96)
    assert mask.min() >= 0 and mask.max() <= 1
    assert (mask[:, :36] > 0.99).all()
    assert (mask[:, 76:] < 0.1).all()
    with pytest.raises(AtelierError, match=r"No dog was found in the picture.*--mask FILE"):
        segmenter.segment(bright_half(), "dog")


def test_fcn_agrees_with_the_transforms_of_torchvision(fcn_file):
    from torchvision.models.segmentation import FCN_ResNet101_Weights
    from torchvision.transforms.functional import InterpolationMode, resize

    content = to_tensor(load_picture("skimage:coffee"))
    segmenter = FCNSegmenter(str(fcn_file), size=64)
    prepare = FCN_ResNet101_Weights.COCO_WITH_VOC_LABELS_V1.transforms(resize_size=64)
    with torch.no_grad():
        logits = segmenter.network(prepare(content)[None])["out"]
    theirs = resize(logits.softmax(1)[0, 8:9], content.shape[1:], InterpolationMode.BILINEAR)[0]
    torch.testing.assert_close(segmenter.segment(content, "cat"), theirs, atol=1e-4, rtol=0)


def test_fcn_scales_banners_down_to_bound_memory(fcn_file):
    shape = FCNSegmenter(str(fcn_file), size=64)._fit(torch.rand(3, 32, 3200)).shape
    assert shape == (3, 2, 256)


@pytest.mark.parametrize(
    ("phrase", "name"),
    [
        ("The old woman's hat", "person"),
        ("two men", "person"),
        ("people", "person"),
        ("portrait", "person"),
        ("the portrait of a cat", "cat"),
        ("her face", "person"),
        ("a white sailboat on the sea", "boat"),
        ("PLANES", "aeroplane"),
        ("motor bike", "motorbike"),
        ("the bike", "bicycle"),
        ("buses", "bus"),
        ("couches", "sofa"),
        ("a dog on a sofa", "dog"),
        ("a picture of a horse", "horse"),
        ("dining table", "diningtable"),
        ("potted plants", "pottedplant"),
        ("tv", "tvmonitor"),
        ("bus driver", "person"),
    ],
)
def test_everyday_words_name_classes(phrase, name):
    assert voc_class(phrase) == name


@pytest.mark.parametrize("phrase", ["mountain", "carpet", "category", "manhole"])
def test_a_phrase_without_a_class_is_refused_with_the_list_of_classes(phrase):
    with pytest.raises(AtelierError, match=rf'"{phrase}" names no class.*aeroplane.*tvmonitor'):
        FCNSegmenter("untrained").segment(bright_half(), phrase)


def test_segmenters_of_phrases_refuse_an_empty_one():
    for segmenter in (FCNSegmenter("untrained"), CLIPSegSegmenter(), CRISSegmenter()):
        with pytest.raises(AtelierError, match="No object is named"):
            segmenter.segment(bright_half(), " ")
