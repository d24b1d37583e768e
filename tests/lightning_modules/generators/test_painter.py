"""The painter: its networks against the files they come from, its styles, what is optimised."""

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image

from datamodules.images import load_picture, to_tensor
from datamodules.models import packaged
from datamodules.support.errors import AtelierError
from datamodules.task import BACKGROUND, StyleTarget, StyleTask
from evaluation.metrics.mesh import mesh, spectrum
from experiments.make import swatches
from experiments.measure.mesh import strokes
from lightning_modules.generators import painter
from lightning_modules.generators.painter import Painter, arbitrary, multistyle, read_style
from lightning_modules.generators.painter_styles import (
    SWATCHES,
    catalogue,
    color_in,
    dye,
    nearest_style,
)


def session(file):
    return onnxruntime.InferenceSession(packaged.locate(file), providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def cat():
    return to_tensor(load_picture("skimage:chelsea").resize((96, 64)))


def batch_of(content, *styles, masks=None, style_image=None):
    """One target a mask, "0.5*fire + 0.5*ice" as ((0.5, "fire"), (0.5, "ice"))."""
    names = ("cat", BACKGROUND)
    targets = [
        StyleTarget(name, text, weight)
        for name, blend in zip(names, styles, strict=False)
        for weight, text in (blend if isinstance(blend, tuple) else ((1.0, blend),))
    ]
    masks = torch.ones(1, *content.shape[1:]) if masks is None else masks
    return StyleTask.of(content, tuple(targets), masks, style_image=style_image).batch()


def started(batch, **settings):
    generator = Painter(**settings)
    generator.start(batch)
    return generator


@pytest.mark.parametrize("style", [0, 19, 25])
def test_the_network_of_26_styles_computes_what_its_file_computes(cat, style):
    network, codes = multistyle()
    weights = np.eye(26, dtype=np.float32)[style]
    inputs = {"image": cat[None].numpy(), "style_weights": weights}
    (expected,) = session(packaged.MULTISTYLE).run(None, inputs)
    torch.testing.assert_close(
        network(cat[None], codes[style], smooth=False),
        torch.from_numpy(expected),
        atol=1e-3,
        rtol=0,
    )


def test_the_network_of_arbitrary_styles_is_near_its_8_bit_file():
    """Ours does not round its activations, so only as near as 8 bits come."""
    content = to_tensor(load_picture("skimage:chelsea").resize((384, 384)))[None]
    style = to_tensor(load_picture("skimage:coffee"))[None]
    network, code = read_style(style)
    inputs = {
        "content_image": content.permute(0, 2, 3, 1).numpy(),
        "mobilenet_conv/Conv/BiasAdd": painter.bottleneck(style).view(1, 1, 1, 100).numpy(),
    }
    (expected,) = session(packaged.STYLE_TRANSFORMER).run(None, inputs)
    expected = torch.from_numpy(expected).permute(0, 3, 1, 2)
    error = (network(content, code, smooth=False) - expected).abs().mean()
    _, other = read_style(content)
    assert error < 0.03
    assert (network(content, other, smooth=False) - expected).abs().mean() > 3 * error


@pytest.mark.parametrize("size", [(64, 64), (50, 83), (33, 40), (5, 7)])
@pytest.mark.parametrize("source", [multistyle, arbitrary])
def test_the_painter_works_at_any_size(size, source):
    network = source()[0]
    output = network(torch.rand(1, 3, *size), torch.randn(2, sum(network.widths)))
    assert output.shape == (1, 3, *size)
    assert output.isfinite().all()
    assert 0 <= output.min() <= output.max() <= 1


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("the art on fire", "fire"),
        ("green crystal", "crystal"),
        ("a sketch with black pencil", "pencil"),
        ("knitted out of white wool", "wool"),
        ("golden", "gold"),
        ("in the manner of Monet", 12),
        ("The Starry Night, Van Gogh", 19),
        ("ukiyo-e print by Hokusai", 24),
    ],
)
def test_styles_are_found_by_their_words(text, nearest):
    style, words, similarity = nearest_style(text)
    assert nearest in (style.code, style.swatch)
    assert words in style.words
    assert similarity > painter.FAMILIAR


def test_every_style_is_described_once_and_has_a_code():
    styles, _, _ = catalogue()
    wordings = [words for style in styles for words in style.words]
    assert len(wordings) == len(set(wordings))
    assert sorted(style.code for style in styles if not style.swatch) == list(range(26))
    files = {path.stem for path in SWATCHES.glob("*.jpg")}
    assert {style.swatch for style in styles if style.swatch} == files == set(swatches.SWATCHES)


@pytest.mark.parametrize("name", ["fire", "crystal", "pencil"])
def test_swatches_are_what_their_script_paints(name):
    painted = np.clip(swatches.SWATCHES[name](), 0, 1) * 255
    shipped = np.asarray(Image.open(SWATCHES / f"{name}.jpg"), dtype=float)
    assert np.abs(painted - shipped).mean() < 6  # JPEG


def test_colours_are_found_unless_the_style_means_them_itself():
    assert color_in("Green crystal", "crystal") == "green"
    assert color_in("gold", "gold") == ""
    assert color_in("a crystal", "crystal") == ""


def test_dyeing_sets_the_colour_and_keeps_the_pattern():
    swatch = next(style for style in catalogue()[0] if style.swatch == "crystal").picture()
    green = dye(swatch, "green")
    red, greens, blue = green.mean((0, 2, 3))
    assert greens > red + 0.2
    assert greens > blue + 0.2
    pattern = torch.corrcoef(torch.stack([swatch.mean(1).flatten(), green.mean(1).flatten()]))
    assert pattern[0, 1] > 0.9
    paper = dye(swatch, "black", drawing=True).mean()
    assert paper > dye(swatch, "black").mean() + 0.1


def test_before_the_first_step_a_known_style_is_served_as_it_is(cat):
    network, codes = multistyle()
    generator = started(batch_of(cat, "Starry Night by Vincent van Gogh"))
    torch.testing.assert_close(generator(cat[None]), network(cat[None], codes[19]))


@pytest.mark.parametrize("style", ["fire", "mosaic", "gold", "Starry Night by Vincent van Gogh"])
def test_fur_is_painted_with_its_strokes_but_without_a_woven_mesh(style):
    fur = to_tensor(load_picture("skimage:chelsea").crop((100, 100, 292, 292)))
    everywhere = torch.ones(fur.shape[1:], dtype=torch.bool)
    with torch.no_grad():
        ours, published = (
            started(batch_of(fur, style), smooth=smooth)(fur[None])[0] for smooth in (True, False)
        )
    before, after = (mesh(painted, fur, everywhere) for painted in (published, ours))
    assert before > 0.5
    assert after < 0.2 * before
    assert strokes(ours) > 0.9 * strokes(published)


def test_fire_has_no_oblique_weave_even_where_the_photo_is_smooth():
    hill = torch.hann_window(192)
    photo = torch.outer(hill, hill).expand(3, 192, 192)
    with torch.no_grad():
        ours, published = (
            started(batch_of(photo, "fire"), smooth=smooth)(photo[None])[0]
            for smooth in (True, False)
        )
    weave = (..., slice(3, 6), slice(3, 6))  # around a period of 8 px along both axes
    power, before = (
        spectrum(x, torch.ones(192, 192, dtype=torch.bool))[weave].sum() for x in (ours, published)
    )
    assert power < 0.5 * before


def test_only_the_code_moves_and_the_last_layers_of_a_known_style_stay(cat):
    generator = started(batch_of(cat, "fire"))
    generator(cat[None]).sum().backward()
    moving = [p for p in generator.parameters() if p.requires_grad]
    assert [p.numel() for p in moving] == [2 * 347]
    (gradient,) = [p.grad for p in moving]
    sites = sum(generator.networks[0].widths[-painter.FIXED :])
    assert (gradient[:, -sites:] == 0).all()
    assert (gradient[:, :-sites] != 0).any()


def test_a_style_known_only_roughly_is_said_and_may_move_further(cat, caplog):
    generator = started(batch_of(cat, "ancient Egyptian hieroglyphs"))
    assert "a rough likeness" in caplog.text
    assert "a rough likeness" in generator.note
    generator(cat[None]).sum().backward()
    (gradient,) = [p.grad for p in generator.parameters() if p.requires_grad]
    assert (gradient[:, -3:] != 0).any()
    assert started(batch_of(cat, "fire")).note == ""


def test_styles_of_one_network_blend_as_codes(cat):
    network, fire = read_style(style_of("fire").picture())
    _, ice = read_style(style_of("ice").picture())
    generator = started(batch_of(cat, ((3.0, "fire"), (1.0, "ice"))))
    torch.testing.assert_close(
        generator(cat[None]), network(cat[None], 0.75 * fire + 0.25 * ice), atol=1e-5, rtol=0
    )


def test_styles_of_two_networks_blend_as_pictures(cat):
    fire = started(batch_of(cat, "fire"))(cat[None])
    stars = started(batch_of(cat, "Starry Night by Vincent van Gogh"))(cat[None])
    both = ((1.0, "fire"), (1.0, "Starry Night by Vincent van Gogh"))
    blended = started(batch_of(cat, both))(cat[None])
    torch.testing.assert_close(blended, (fire + stars) / 2)


def test_every_region_is_painted_in_its_own_style(cat):
    left = torch.zeros(cat.shape[1:])
    left[:, :40] = 1
    right = torch.zeros_like(left)
    right[:, 60:] = 1
    generator = started(batch_of(cat, "fire", "ice", masks=torch.stack([left, right])))
    painted = generator(cat[None])
    fire, ice = (started(batch_of(cat, style))(cat[None]) for style in ("fire", "ice"))
    torch.testing.assert_close(painted[..., :60], fire[..., :60])
    torch.testing.assert_close(painted[..., 60:], ice[..., 60:])


def test_a_style_picture_is_where_the_painter_starts(cat):
    style = to_tensor(load_picture("skimage:coffee"))
    network, code = read_style(style[None])
    batch = batch_of(cat, "", style_image=style)
    torch.testing.assert_close(started(batch)(cat[None]), network(cat[None], code))


def style_of(swatch):
    return next(style for style in catalogue()[0] if style.swatch == swatch)


def test_final_styles_paint_each_region_alone_as_the_run_does(cat):
    """Blends of two networks among them; steps count."""
    masks = torch.zeros(2, *cat.shape[1:])
    masks[0, :, :48] = masks[1, :, 48:] = 1
    blend = ((0.25, "The Starry Night, Van Gogh"), (0.75, "fire"))
    generator = started(batch_of(cat, blend, "crystal", masks=masks), smooth=False)
    for move in generator.moves:
        move.data = torch.randn(move.shape) / 10
    styles = generator.final_styles()
    painted = sum(
        mask * generator.alone(styles, region)(cat[None]) for region, mask in enumerate(masks)
    )
    torch.testing.assert_close(painted, generator(cat[None]))
    with pytest.raises(AtelierError, match="Painter has no styles apart"):
        generator.alone({"styles": torch.zeros(1, 100)}, 0)
