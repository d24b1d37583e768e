"""Decoders: files by their texts, blends of their weights, training of one for all pictures."""

import pytest
import torch

from datamodules.images import load_picture, to_tensor
from datamodules.support.errors import AtelierError
from datamodules.task import StyleTarget, StyleTask
from lightning_modules.generators.decoders import Decoders
from lightning_modules.generators.painter import read_style
from lightning_modules.generators.painter_styles import nearest_style
from lightning_modules.losses.directional import directional_loss
from tests.support.decoders import learning
from tests.support.methods import Bridge


@pytest.fixture(scope="module")
def cat():
    return to_tensor(load_picture("skimage:chelsea").resize((50, 38)))[None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Decoders of two texts, as they are before training."""
    folder = tmp_path_factory.mktemp("decoders")
    for name, style in (("a", "Fire"), ("b", "ice")):
        learning(style).save(folder / f"{name}.safetensors", {"steps": "0"})
    return folder


def started(content, *blend, generator=None, folder=""):
    targets = tuple(StyleTarget("", text, weight) for weight, text in blend)
    generator = generator or Decoders(decoders=str(folder))
    generator.start(StyleTask.of(content[0], targets, torch.ones(1, *content.shape[2:])).batch())
    return generator


@torch.no_grad()
def test_a_decoder_starts_as_the_painter_in_the_nearest_style(cat):
    network, code = read_style(nearest_style("fire")[0].picture())
    generator = started(cat, (1.0, "fire"), generator=learning("fire"))
    torch.testing.assert_close(generator(cat), network(cat, code))


@torch.no_grad()
def test_a_text_is_painted_by_its_own_decoder_whatever_its_case(cat, folder):
    output = started(cat, (1.0, "fire "), folder=folder)(cat)
    assert torch.equal(output, started(cat, (1.0, "fire"), generator=learning("fire"))(cat))
    assert (output - started(cat, (1.0, "ice"), folder=folder)(cat)).abs().mean() > 0.05


@torch.no_grad()
def test_a_blend_of_texts_is_the_mean_of_their_decoders_weights(cat, folder):
    generator = started(cat, (3.0, "fire"), (1.0, "ice"), folder=folder)
    fire, ice = generator.texts(["fire", "ice"])
    torch.testing.assert_close(generator.start_styles[0], 0.75 * fire + 0.25 * ice)
    one_by_one = [generator.paint(cat, style[None]) for style in (fire, ice)]
    together = generator.paint(cat.expand(2, -1, -1, -1), torch.stack([fire, ice]))
    torch.testing.assert_close(together, torch.cat(one_by_one))


def test_a_text_without_a_decoder_is_refused_with_the_texts_there_are(tmp_path, folder):
    (tmp_path / "other.safetensors").write_bytes(b"of another program")
    nothing = r"No decoder in .* has learned 'snow'; train it: atelier train clipstyler_fast"
    with pytest.raises(AtelierError, match=f'{nothing} --style "snow"$'):
        Decoders(decoders=str(tmp_path)).texts(["snow"])
    with pytest.raises(AtelierError, match=r"there are 'Fire', 'ice'.*train it"):
        Decoders(decoders=str(folder)).texts(["snow"])


def test_decoders_lie_in_the_users_data_folder(monkeypatch, tmp_path, folder):
    monkeypatch.setenv("ATELIER_DATA", str(tmp_path))
    assert Decoders().folder == tmp_path / "decoders"
    monkeypatch.delenv("ATELIER_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert Decoders().folder == tmp_path / "atelier" / "decoders"


def test_a_decoder_learns_its_text_for_pictures_that_it_has_not_met(cat):
    """The style is one that the painter does not have, so that there is something to learn."""
    text, encoder = "ancient Egyptian hieroglyphs", Bridge()
    generator = learning(text)
    other = to_tensor(load_picture("skimage:coffee").resize((64, 64)))[None]
    direction = torch.sub(*encoder.embed_texts([text, "a photo"]))

    def loss(content):
        painted = generator.paint(content, generator.texts([text])).clamp(0, 1)
        before, after = (encoder.embed_images(encoder.view(x)) for x in (content, painted))
        return directional_loss(after, before, direction).mean()

    optimizer = torch.optim.Adam(generator.trainable(), lr=2e-3)
    with torch.no_grad():
        first = loss(cat), loss(other)
    for _ in range(8):
        optimizer.zero_grad()
        loss(cat).backward()
        optimizer.step()
    with torch.no_grad():
        last = loss(cat), loss(other)
    assert last[0] < first[0] - 0.05
    assert last[1] < first[1]


@torch.no_grad()
def test_a_trained_decoder_is_put_where_runs_look_for_it_and_can_be_trained_further(tmp_path, cat):
    generator = learning("Green crystal", decoders=str(tmp_path / "all"))
    generator.network.code += 0.1
    generator.save(tmp_path / "w.safetensors", {})
    generator.provide(tmp_path / "w.safetensors")
    (style,) = generator.texts(["green crystal"])
    by_folder = Decoders(decoders=str(tmp_path / "all"))
    by_file = Decoders(decoders=str(tmp_path), weights=str(tmp_path / "w.safetensors"))
    for other in (by_folder, by_file):
        assert torch.equal(other.texts(["green crystal"])[0], style)
    by_file.begin(["green crystal"])
    assert torch.equal(by_file.texts(["green crystal"])[0], style)
    with pytest.raises(AtelierError, match="learns one text, not 2"):
        by_file.begin(["fire", "ice"])
