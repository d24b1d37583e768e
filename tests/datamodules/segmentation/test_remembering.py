"""Masks and refusals that a process remembers, by picture, phrase and segmenter."""

from __future__ import annotations

import pytest
import torch

from datamodules.segmentation.base import ObjectNotFoundError, Segmenter
from datamodules.segmentation.box import BoxSegmenter
from datamodules.segmentation.bridge import BridgeSegmenter
from datamodules.segmentation.clipseg import CLIPSegSegmenter
from datamodules.segmentation.cris.segmenter import CRISSegmenter
from datamodules.segmentation.cues.classes import Classes
from datamodules.segmentation.cues.stuff import Stuff
from datamodules.segmentation.fcn import FCNSegmenter
from datamodules.segmentation.features.dino import DINODense
from datamodules.segmentation.features.efficientnet import EfficientNetDense
from datamodules.segmentation.grounded import GroundedSegmenter
from datamodules.segmentation.remembering import LIMIT, MaskMemory, RememberingSegmenter
from datamodules.segmentation.sam3 import SAM3Segmenter
from datamodules.segmentation.spectral import SpectralSegmenter
from datamodules.segmentation.whole import WholePicture
from datamodules.support.errors import AtelierError
from datamodules.task import Area, Region
from evaluation.metrics.base import Pictures
from evaluation.metrics.mask_agreement import MaskAgreement


class Half(Segmenter):
    """The upper half; counts its calls, and knows neither giraffes nor how to work offline."""

    def __init__(self, online: bool = True) -> None:
        self.online = online
        self.calls = 0

    def segment(self, content, phrase):
        self.calls += 1
        self.confidence = 0.1 * self.calls
        if not self.online:
            raise AtelierError("The weights are missing")
        if phrase == "giraffe":
            raise ObjectNotFoundError("There is no giraffe")
        mask = torch.zeros(content.shape[1:])
        mask[: len(mask) // 2] = 1
        return mask


def picture(value: float = 0.5, *size: int) -> torch.Tensor:
    return torch.full((3, *(size or (8, 8))), value)


def test_a_mask_is_made_once_with_its_confidence():
    half = Half()
    segmenter = RememberingSegmenter(half, MaskMemory(LIMIT))
    first = segmenter.segment(picture(), "cat")
    assert segmenter.confidence == pytest.approx(0.1)
    segmenter.segment(picture(), "dog")
    assert segmenter.confidence == pytest.approx(0.2)
    assert torch.equal(segmenter.segment(picture(), "cat"), first)
    assert segmenter.confidence == pytest.approx(0.1)
    segmenter.segment(picture(0.6), "cat")
    segmenter.segment(picture(0.5, 4, 16), "cat")  # the same values in another shape
    assert half.calls == 4


def test_whoever_gets_a_mask_from_the_memory_gets_its_warnings(caplog):
    class Doubtful(Half):
        def segment(self, content, phrase):
            mask = super().segment(content, phrase)
            self.warn(phrase)
            return mask

    segmenter = RememberingSegmenter(Doubtful(), MaskMemory(LIMIT))
    for _ in range(2):
        segmenter.segment(picture(), "cat")
    assert [r.getMessage().count("may not show 'cat'") for r in caplog.records] == [1, 1]


def test_a_refusal_is_remembered_and_other_errors_are_not():
    half = Half()
    segmenter = RememberingSegmenter(half, MaskMemory(LIMIT))
    for _ in range(2):
        with pytest.raises(ObjectNotFoundError, match="There is no giraffe"):
            segmenter.segment(picture(), "giraffe")
    assert half.calls == 1
    half.online = False
    with pytest.raises(AtelierError, match="weights are missing"):
        segmenter.segment(picture(), "cat")
    half.online = True
    assert segmenter.segment(picture(), "cat").mean() == 0.5


def test_segmenters_of_one_identity_share_the_memory_of_the_process():
    class Local(Half):
        pass

    first, second, other = Local(), Local(), Local(online=False)
    RememberingSegmenter(first).segment(picture(), "cat")
    RememberingSegmenter(second).segment(picture(), "cat")
    assert (first.calls, second.calls) == (1, 0)
    with pytest.raises(AtelierError):
        RememberingSegmenter(other).segment(picture(), "cat")


def test_the_least_recently_used_masks_make_room():
    half = Half()
    segmenter = RememberingSegmenter(half, MaskMemory(limit=2 * 8 * 8 * 4))
    for phrase in ("cat", "dog", "cat", "cow", "cat", "cow"):
        segmenter.segment(picture(), phrase)
    assert half.calls == 3
    segmenter.segment(picture(), "dog")
    assert half.calls == 4
    segmenter.segment(picture(0.5, 64, 64), "cow")  # alone more than the limit
    segmenter.segment(picture(0.5, 64, 64), "cow")
    assert half.calls == 5


def test_it_needs_a_phrase_if_its_segmenter_does():
    assert RememberingSegmenter(Half()).needs_phrase
    assert not RememberingSegmenter(WholePicture()).needs_phrase


@pytest.mark.parametrize(
    "make",
    [
        WholePicture,
        lambda: BoxSegmenter(0.1, 0.2, 0.8, 0.9),
        BridgeSegmenter,
        lambda: BridgeSegmenter([Stuff()], scales=(256,)),
        FCNSegmenter,
        CLIPSegSegmenter,
        SAM3Segmenter,
        GroundedSegmenter,
        CRISSegmenter,
        SpectralSegmenter,
        lambda: SpectralSegmenter(DINODense(size=224)),
    ],
)
def test_equal_settings_are_one_identity(make):
    assert make().identity == make().identity
    assert hash(make().identity) == hash(make().identity)


def test_each_setting_changes_the_identity():
    segmenters = [
        WholePicture(),
        BoxSegmenter(0.1, 0.2, 0.8, 0.9),
        BoxSegmenter(0.1, 0.2, 0.8, 0.9, refine=True),
        BoxSegmenter(0.2, 0.2, 0.8, 0.9),
        *(BridgeSegmenter(), BridgeSegmenter(presence=0.1), BridgeSegmenter(side=128)),
        *(BridgeSegmenter(scales=(256,)), BridgeSegmenter(name_ridge=1.0)),
        *(BridgeSegmenter(windows=()), BridgeSegmenter([Classes()]), BridgeSegmenter([])),
        *(FCNSegmenter(), FCNSegmenter("mine.pth"), FCNSegmenter(size=64)),
        *(CLIPSegSegmenter(), CLIPSegSegmenter(threshold=0.5), CLIPSegSegmenter(binary=True)),
        *(SAM3Segmenter(), SAM3Segmenter("mine"), SAM3Segmenter(threshold=0.3)),
        *(GroundedSegmenter(), GroundedSegmenter("mine"), GroundedSegmenter(masks="mine")),
        GroundedSegmenter(threshold=0.3),
        *(CRISSegmenter(), CRISSegmenter("mine.pth"), CRISSegmenter(threshold=0.5)),
        CRISSegmenter(binary=True),
        *(SpectralSegmenter(), SpectralSegmenter(neighbours=5)),
        SpectralSegmenter(EfficientNetDense(256)),
        *(SpectralSegmenter(DINODense()), SpectralSegmenter(DINODense(weights="mine.pth"))),
    ]
    assert len({segmenter.identity for segmenter in segmenters}) == len(segmenters)


def test_a_segmenter_that_hides_its_settings_is_like_no_other():
    class Hidden(Half):
        def __init__(self, level: float) -> None:
            super().__init__()
            self._level = level

    one, other = Hidden(0.1), Hidden(0.1)
    assert one.identity == one.identity != other.identity


def test_missing_weights_are_no_missing_object():
    content = picture()[None]
    regions = ((Region(Area("cat"), (), torch.ones(8, 8)),),)
    pictures = Pictures(content, content, torch.ones(1, 8, 8), regions)
    assert MaskAgreement(Half())(pictures)["mask_agreement.Half"] == 1
    with pytest.raises(AtelierError, match="weights are missing"):
        MaskAgreement(Half(online=False))(pictures)
