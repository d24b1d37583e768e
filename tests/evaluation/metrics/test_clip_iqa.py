"""CLIP-IQA: equal to piq on the same weights."""

import pytest
import torch
from safetensors.torch import save_file

from datamodules.support.errors import AtelierError
from evaluation.metrics.base import Pictures
from evaluation.metrics.clip_iqa import CLIPIQA

pytestmark = pytest.mark.usefixtures("no_network")

# "Good photo." and "Bad photo." in CLIP's vocabulary, between its signs of start and end.
TOKENS = [[49406, 886, 1125, 269, 49407], [49406, 2103, 1125, 269, 49407]]


@pytest.fixture(scope="module")
def small():
    """A small CLIP with a ResNet as open_clip builds it; 16-bit values, as the published ones."""
    from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg

    torch.manual_seed(0)
    vision = CLIPVisionCfg(layers=[1, 1, 1, 1], width=4, image_size=64)
    network = CLIP(16, vision, CLIPTextCfg(width=64, heads=1, layers=1), quick_gelu=True).eval()
    for name, values in network.named_parameters():
        if name.endswith("bn3.weight"):  # which open_clip begins with at 0
            torch.nn.init.ones_(values)
        if name.startswith("visual.attnpool") and name.endswith("bias"):
            torch.nn.init.zeros_(values)  # else they outweigh the picture
        values.data = values.data.half().float()
    network.logit_scale.data.fill_(4.6055)  # the published network's: 100
    return network


@pytest.fixture
def file(small, tmp_path):
    save_file(small.state_dict(), tmp_path / "open_clip_model.safetensors")
    return str(tmp_path / "open_clip_model.safetensors")


def test_clip_iqa_is_piqs(small, file, pair, monkeypatch):
    import piq
    from piq.feature_extractors.clip import build_model

    tokens = torch.zeros(2, 77, dtype=torch.long)
    tokens[:, :5] = torch.tensor(TOKENS)
    state = small.state_dict()
    network = build_model(dict(state)).float()
    monkeypatch.setattr("piq.feature_extractors.clip.load", lambda: network)
    monkeypatch.setattr("piq.clip_iqa.download_tensor", lambda url, root: tokens)
    expected = piq.CLIPIQA()(pair[1])[:, 0]
    metric = CLIPIQA(file)
    values = metric(Pictures(*pair, torch.ones(3, 96, 80)))
    name = metric.column("clip_iqa")
    assert name == "clip_iqa.open_clip_model"
    torch.testing.assert_close(values[name], expected, atol=1e-5, rtol=0)
    assert expected.std() > 1e-3  # else nothing is told
    texts = small.encode_text(tokens)  # the file is open_clip's: so is the text tower
    torch.testing.assert_close(network.encode_text(tokens), texts, atol=1e-5, rtol=0)
    assert not metric.train().judge.training
    assert not any(values.requires_grad for values in metric.judge.parameters())


@pytest.mark.parametrize("damage", ["a vision transformer", "a missing tensor"])
def test_another_clip_is_refused_in_one_sentence(damage, small, tiny_clip, tmp_path):
    path = tmp_path / "clip.pt"
    state = dict(small.state_dict())
    state.pop("text_projection")
    torch.save(tiny_clip[1].state_dict() if damage == "a vision transformer" else state, path)
    with pytest.raises(AtelierError, match="is no checkpoint of CLIP RN50") as refusal:
        CLIPIQA(str(path))
    assert "\n" not in str(refusal.value)
