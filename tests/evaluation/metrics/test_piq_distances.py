"""DISTS and LPIPS by piq's reading: equal to piq's own modules on the same weights."""

import copy
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from evaluation.metrics.base import Pictures
from evaluation.metrics.dists import TRAINED as TRAINED_DISTS
from evaluation.metrics.dists import DISTSDistance
from evaluation.metrics.lpips import NETS, LPIPSDistance
from evaluation.metrics.perceptual import packaged
from evaluation.metrics.piq_distances import (
    PiqDISTS,
    PiqDISTSDistance,
    PiqLPIPS,
    PiqLPIPSDistance,
)

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.fixture
def piqs(backbones, monkeypatch):
    """piq's own modules, made by its constructors from the tests' VGG-16."""
    import piq

    dists = packaged(*TRAINED_DISTS)
    total = dists["alpha"].sum() + dists["beta"].sum()
    trained = packaged(NETS["vgg"].trained, NETS["vgg"].digest)
    files = {
        "dists_weights.pt": {name: dists[name] / total for name in ("alpha", "beta")},
        "lpips_weights.pt": [trained[f"lin{index}.model.1.weight"] for index in range(5)],
    }
    network = SimpleNamespace(features=copy.deepcopy(backbones["vgg16"][0]))
    monkeypatch.setattr("piq.perceptual.vgg16", lambda **options: network)
    monkeypatch.setattr(
        "torch.hub.load_state_dict_from_url", lambda url, **options: files[url.split("/")[-1]]
    )
    lpips = piq.LPIPS(reduction="none")
    network.features = copy.deepcopy(network.features)  # piq.DISTS replaces its pooling
    return {"dists": piq.DISTS(reduction="none"), "lpips": lpips}


@pytest.fixture(scope="module")
def large(photo):
    """A picture that piq's DISTS scales down, and the same with noise."""
    content = F.interpolate(photo, (300, 290), mode="bilinear", antialias=True)
    generator = torch.Generator().manual_seed(0)
    return content, (content + 0.2 * torch.randn(content.shape, generator=generator)).clamp(0, 1)


def test_dists_is_piqs_and_parts_from_torchmetrics_above_256_px(backbones, pair, large, piqs):
    full, scaled = (kind(backbones["vgg16"][1]) for kind in (DISTSDistance, PiqDISTSDistance))
    small = tuple(pictures[:1] for pictures in pair)
    expected = piqs["dists"](*small)
    torch.testing.assert_close(scaled(*small), expected, atol=1e-5, rtol=0)
    assert expected > 0.01
    assert torch.equal(full(*small), scaled(*small))
    expected = piqs["dists"](*large)
    torch.testing.assert_close(scaled(*large), expected, atol=1e-5, rtol=0)
    assert float(full(*large)) > 1.1 * float(expected) > 0


def test_lpips_is_piqs(backbones, pair, piqs):
    distance = PiqLPIPSDistance(backbones["vgg16"][1])
    expected = piqs["lpips"](*pair)
    torch.testing.assert_close(distance(*pair), expected, atol=1e-5, rtol=0)
    assert expected.min() > 0.01
    torchmetrics_reading = LPIPSDistance("vgg", backbones["vgg16"][1])(*pair)
    torch.testing.assert_close(distance(*pair), torchmetrics_reading, atol=1e-3, rtol=1e-2)


def test_they_have_names_and_a_background_of_their_own(backbones, pair):
    content, output = pair
    mask = torch.zeros(3, 96, 80)
    mask[:, 30:60, 20:50] = 1
    composite = torch.where(mask[:, None] > 0, output, content)
    file = backbones["vgg16"][1]
    for metric, name in ((PiqDISTS(file), "piq_dists"), (PiqLPIPS(file), "piq_lpips")):
        values = metric(Pictures(content, composite, mask))
        assert values[f"background_{name}.vgg16"].tolist() == [0, 0, 0]
        assert values[f"{name}.vgg16"].min() > 0
        assert metric.higher_is_better is False
        assert metric.distance.identity == f"{name.replace('_', '-')}-vgg16"
        everywhere = metric(Pictures(content, output, mask))
        assert everywhere[f"background_{name}.vgg16"].min() > 0
