"""Attention between pictures and texts: formulas, sizes, blends, regions and training."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch
from lightning_modules.encoders.open_clip import OpenCLIPEncoder
from lightning_modules.generators.attention import AttentionPainter, attend
from lightning_modules.generators.fast_lessons import lessons
from lightning_modules.generators.halves import FeatureHalves
from lightning_modules.generators.painter import read_style
from lightning_modules.losses.contrastive import contrastive_loss
from lightning_modules.perceptual.vgg import VGGFeatures
from tests.support.tiny import TinyEncoder, TinyFeatures

FIRE, VAN_GOGH = "fire", "Starry Night by Vincent van Gogh"


@pytest.fixture
def painter():
    torch.manual_seed(0)
    return AttentionPainter(weights="untrained")


@pytest.fixture
def tiny():
    torch.manual_seed(0)
    return AttentionPainter(TinyEncoder(), FeatureHalves(TinyFeatures()), 2, weights="untrained")


@pytest.fixture(scope="module")
def content():
    return torch.rand(1, 3, 21, 30, generator=torch.Generator().manual_seed(0))


def single(text):
    return [((1.0, text),)]


@torch.no_grad()
def test_attention_is_that_of_adaattn():
    """Softmax, weighted mean and deviation by loops; two heads, each with its part of the rows."""
    torch.manual_seed(0)
    queries, keys = torch.randn(1, 5, 8), torch.randn(1, 3, 8)
    values, bias = torch.randn(1, 3, 4), torch.tensor([[0.0, -1.0, -torch.inf]])
    mean, deviation = attend(queries, keys, values, bias, heads=2)
    q, k, v, b = (tensor[0].double().numpy() for tensor in (queries, keys, values, bias))
    for position in range(5):
        for head in range(2):
            wide, narrow = slice(4 * head, 4 * head + 4), slice(2 * head, 2 * head + 2)
            scores = [q[position, wide] @ k[token, wide] / 2 + b[token] for token in range(3)]
            shares = np.exp(scores) / np.exp(scores).sum()
            m = sum(share * v[token, narrow] for token, share in enumerate(shares))
            s = np.sqrt(sum(share * v[t, narrow] ** 2 for t, share in enumerate(shares)) - m**2)
            np.testing.assert_allclose(mean[0, position, narrow], m, atol=1e-5)
            np.testing.assert_allclose(deviation[0, position, narrow], s, atol=1e-3)


@torch.no_grad()
def test_features_are_scaled_by_the_deviation_and_shifted_by_the_mean(tiny):
    features = torch.rand(1, 8, 4, 5)
    mean, deviation = torch.randn(2, 1, 8, 4, 5)
    x = features.numpy()
    norm = (x - x.mean((2, 3), keepdims=True)) / np.sqrt(x.var((2, 3), keepdims=True) + 1e-5)
    fused = torch.from_numpy(deviation.numpy() * norm + mean.numpy())
    painted = tiny.halves.decode(features, mean, deviation)
    torch.testing.assert_close(painted, tiny.network["decoder"](fused), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_one_token_paints_as_the_painter_does_in_its_code(painter, content):
    picture = torch.rand(1, 3, 64, 64)
    network, code = read_style(picture)
    output = painter.paint(content, painter.picture_style(picture))
    torch.testing.assert_close(output, network(content, code), atol=1e-4, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("size", [(21, 30), (64, 48), (5, 9), (1, 1)])
def test_a_picture_of_any_size_keeps_it(painter, tiny, size):
    for generator in (painter, tiny):
        painted = generator.paint(torch.rand(2, 3, *size), generator.styles(single(FIRE)))
        assert painted.shape == (2, 3, *size) and 0 <= painted.min() <= painted.max() <= 1


@torch.no_grad()
def test_clips_tokens_and_vggs_features_meet_too(tiny_clip):
    encoder = OpenCLIPEncoder("tiny-clip", str(tiny_clip[0]))
    vgg = VGGFeatures(["conv3_1"], after_relu=True, weights="untrained")
    generator = AttentionPainter(encoder, FeatureHalves(vgg), weights="untrained")
    assert (generator.width, generator.halves.stride) == (256, 4)
    styles = generator.styles([*single(FIRE), *single("ice cream on a stick")])
    assert styles.shape == (2, 77, 3 * 256 + 1)
    assert styles[..., -1].isfinite().sum(1).tolist() == [3, 7]
    painted = generator.paint(torch.rand(2, 3, 21, 30), styles)
    assert painted.shape == (2, 3, 21, 30) and (painted[0] - painted[1]).abs().max() > 0


@torch.no_grad()
def test_padding_changes_nothing(painter, content):
    alone = painter.styles(single(FIRE))
    padded = painter.styles([*single(FIRE), *single(VAN_GOGH)])
    assert padded.shape[1] > alone.shape[1]
    painted = painter.paint(content, alone)
    torch.testing.assert_close(painter.paint(content, padded[:1]), painted, atol=1e-5, rtol=0)
    assert (painter.paint(content, padded[1:]) - painted).abs().max() > 0.01


@torch.no_grad()
def test_a_blend_goes_from_one_text_to_the_other(painter, content):
    def blend(weight):
        blended = ((1 - weight, FIRE), (weight, VAN_GOGH))
        return painter.paint(content, painter.styles([blended]))

    fire, gogh = (painter.paint(content, painter.styles(single(t))) for t in (FIRE, VAN_GOGH))
    torch.testing.assert_close(blend(0.0), fire, atol=1e-5, rtol=0)
    torch.testing.assert_close(blend(1.0), gogh, atol=1e-5, rtol=0)
    distances = [(blend(w) - fire).square().mean() for w in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert distances == sorted(distances)
    twice = painter.styles([((2.0, FIRE), (2.0, FIRE))])
    torch.testing.assert_close(painter.paint(content, twice), fire, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_text_counts_by_its_weight_and_not_by_its_length(painter):
    style = painter.styles([((3.0, FIRE), (1.0, VAN_GOGH))])
    keys, values, bias = style.split([200, 100, 1], dim=2)
    mean, _ = attend(torch.zeros(1, 1, 200), keys, values, bias[..., 0], 4)
    fire, gogh = (painter.texts([text])[..., 200:300].mean(1) for text in (FIRE, VAN_GOGH))
    torch.testing.assert_close(mean[0], 0.75 * fire + 0.25 * gogh)


@torch.no_grad()
def test_regions_have_styles_of_different_lengths(painter, content):
    masks = torch.zeros(1, 2, 21, 30)
    masks[0, 0, :, :15], masks[0, 1, :, 15:] = 1, 1
    batch = StyleBatch(content, masks, (((1.0, FIRE),), ((1.0, VAN_GOGH),)), "a Photo")
    painter.start(batch)
    fire, gogh = (painter.paint(content, painter.styles(single(t))) for t in (FIRE, VAN_GOGH))
    painted = painter(content)
    torch.testing.assert_close(painted[..., :15], fire[..., :15], atol=1e-5, rtol=0)
    torch.testing.assert_close(painted[..., 15:], gogh[..., 15:], atol=1e-5, rtol=0)
    assert "untrained" in painter.note


def test_steps_move_the_tokens_and_padding_stays_padding(tiny, content):
    masks = torch.full((1, 2, 21, 30), 0.5)
    tiny.start(
        StyleBatch(content, masks, (((1.0, "ice"),), ((0.5, FIRE), (0.5, "ice"))), "a Photo")
    )
    tiny(content).mean().backward()
    assert [name for name, w in tiny.named_parameters() if w.requires_grad] == ["moves"]
    assert tiny.moves.grad.isfinite().all() and tiny.moves.grad.abs().sum() > 0
    assert (tiny.moves.grad[0, 1] == 0).all()


def test_features_of_a_style_picture_are_no_tokens(tiny):
    with pytest.raises(AtelierError, match="--style-image"):
        tiny.picture_style(torch.rand(1, 3, 32, 32))


@pytest.mark.parametrize("name", ["painter", "tiny"])
def test_gradients_reach_all_that_is_trained_and_nothing_else(request, name, content):
    generator = request.getfixturevalue(name)
    trained = generator.trainable()
    styles = generator.styles([((0.5, FIRE), (0.5, "ice")), ((1.0, VAN_GOGH),)])
    generator.paint(content.expand(2, -1, -1, -1), styles).square().mean().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in trained)
    ours = {id(weight) for weight in trained}
    frozen = [w for w in generator.parameters() if id(w) not in ours]
    assert frozen and not any(weight.requires_grad for weight in frozen)


def test_a_short_training_lowers_the_loss(tiny):
    torch.manual_seed(0)
    texts, encoder, contents = ["fire", "ice", "gold"], TinyEncoder(), torch.rand(3, 3, 32, 32)
    directions = F.normalize(encoder.embed_texts(texts) - encoder.embed_texts(["a photo"]), dim=1)
    before = encoder.embed_images(encoder.view(contents))
    optimizer = torch.optim.Adam(tiny.trainable(), lr=3e-3)
    losses = []
    for _ in range(25):
        painted = tiny.paint(contents, tiny.styles([((1.0, text),) for text in texts]))
        after = encoder.embed_images(encoder.view(painted))
        loss = contrastive_loss(after, before, directions, torch.arange(3))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


@torch.no_grad()
def test_the_shipped_weights_know_the_codes_of_the_lessons():
    """Codes of most texts are nearer to the text's own in the lessons than to another's."""
    generator, texts = AttentionPainter(), ["fire", "mosaic", "gold", "neon light", "wood", "night"]
    goals = lessons().codes[lessons().rows(texts)]
    styles = generator.styles([((1.0, text),) for text in texts])
    keys, values, bias = styles.split([200, 100, 1], dim=2)
    mean, _ = attend(torch.zeros(6, 1, 200), keys, values, bias[..., 0])
    nearest = torch.cdist(mean[:, 0], goals).argmin(1)
    assert nearest.tolist() == list(range(6))
    assert not any(weight.requires_grad for weight in generator.parameters())


def test_weights_come_back_from_their_file(painter, tmp_path):
    painter.save(tmp_path / "w.safetensors", {})
    other = AttentionPainter(weights=str(tmp_path / "w.safetensors"))
    for name, weights in painter.network.state_dict().items():
        assert torch.equal(weights, other.network.state_dict()[name])
    assert not any(weight.requires_grad for weight in other.parameters())
