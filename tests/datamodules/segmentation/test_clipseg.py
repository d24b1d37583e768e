"""CLIPSeg."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from datamodules.images import load_picture, to_tensor
from datamodules.segmentation.clipseg import CLIPSegSegmenter
from datamodules.support.errors import AtelierError
from tests.support.segmenter_files import bright_half


def probabilities(folder: Path, content: Tensor) -> Tensor:
    """Probabilities (64, 64) of "cat" by the network, without the segmenter."""
    segmenter = CLIPSegSegmenter(str(folder))
    network, processor = segmenter.network
    inputs = processor(text=["cat"], images=[content], return_tensors="pt", do_rescale=False)
    with torch.no_grad():
        return network(**inputs).logits.squeeze().sigmoid()


def test_the_mask_of_clipseg_is_soft_around_its_threshold(clipseg_folder):
    content = to_tensor(load_picture("skimage:coffee"))
    p = probabilities(clipseg_folder, content)
    p = F.interpolate(p[None, None], content.shape[1:], mode="bilinear", antialias=True)[0, 0]
    threshold = float(p.median())
    mask = CLIPSegSegmenter(str(clipseg_folder), threshold).segment(content, "cat")
    assert mask.shape == content.shape[1:]
    assert mask.min() >= 0 and mask.max() <= 1
    clear = (p - threshold).abs() > 5e-3  # the segmenter rounds the picture to 8 bits
    assert torch.equal((mask > 0.5)[clear], (p > threshold)[clear])
    torch.testing.assert_close(mask, (0.5 + (p - threshold) / 0.2).clamp(0, 1), atol=0.05, rtol=0)


def test_the_mask_of_clipseg_can_be_binary(clipseg_folder):
    middle = float(probabilities(clipseg_folder, bright_half()).median())
    soft, binary = (
        CLIPSegSegmenter(str(clipseg_folder), middle, kind).segment(bright_half(), "cat")
        for kind in (False, True)
    )
    assert torch.equal(binary, (soft > 0.5).float())
    assert 0 < binary.mean() < 1


def test_clipseg_reads_the_phrase(clipseg_folder):
    middle = float(probabilities(clipseg_folder, bright_half()).median())
    segmenter = CLIPSegSegmenter(str(clipseg_folder), middle)
    cat, other = (segmenter.segment(bright_half(), phrase) for phrase in ("cat", "ab"))
    assert not torch.allclose(cat, other, atol=1e-4)
    assert torch.equal(segmenter.segment(bright_half(), "cat"), cat)
    segmenter.segment(bright_half(), "a cat " * 40)  # more tokens than the network takes


def test_clipseg_refuses_a_phrase_below_its_threshold(clipseg_folder):
    with pytest.raises(AtelierError, match=r'"cat" was not found.*at most 0\.\d\d.*--mask FILE'):
        CLIPSegSegmenter(str(clipseg_folder), 0.9999).segment(bright_half(), "cat")
    with pytest.raises(AtelierError, match=r"\(0, 1\)"):
        CLIPSegSegmenter(threshold=1.5)
