"""Masks as people have them: each kind gives the same object, or is refused in one sentence."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage import data

from datamodules.reading.masks import load_mask, warn_of_coverage
from datamodules.support.errors import AtelierError

HEIGHT, WIDTH = 120, 180
Y, X = np.mgrid[:HEIGHT, :WIDTH]
DISC = np.hypot(Y - 60, X - 70) < 40
OTHER = np.hypot(Y - 60, X - 150) < 20
RED_ON_BLACK = np.where(DISC[..., None], [200, 0, 0], 0).astype(np.uint8)
LABELS = (DISC + 2 * OTHER).astype(np.uint8)


def smooth(top=255):
    """The disc with antialiased edges: the mean of 4x4 samples per pixel."""
    y, x = np.mgrid[: 4 * HEIGHT, : 4 * WIDTH] / 4
    large = Image.fromarray((np.hypot(y - 60, x - 70) < 40) * np.uint8(top))
    return large.resize((WIDTH, HEIGHT), Image.Resampling.BOX)


def palette(indices, *colours):
    picture = Image.fromarray(indices.astype(np.uint8), "P")
    picture.putpalette([channel for colour in colours for channel in colour])
    return picture


def cut_out(colours, alpha):
    return Image.fromarray(np.dstack([colours, 255 * alpha]).astype(np.uint8))


def saved(folder, picture, name="mask.png", **options):
    picture.save(folder / name, **options)
    return str(folder / name)


def loaded(folder, picture, name="mask.png", value="", **options):
    return load_mask(saved(folder, picture, name, **options), (WIDTH, HEIGHT), value)


PHOTO = data.coffee()[:HEIGHT, :WIDTH]
GREY = data.camera()[:HEIGHT, :WIDTH]
BLACK_AND_WHITE = np.where(DISC, 255, 0)[..., None].repeat(3, -1)
WHITE_ON_BLACK = {
    "8 bits": Image.fromarray(DISC * np.uint8(255)),
    "1 bit": Image.fromarray(DISC),
    "16 bits": Image.fromarray(DISC.astype(np.uint16) * 65535),
    "16 bits with the values of 8": Image.fromarray(DISC.astype(np.uint16) * 255),
    "floats": Image.fromarray(DISC.astype(np.float32)),
    "palette of greys": Image.fromarray(DISC * np.uint8(255)).convert("P"),
    "palette, white first": palette(~DISC, (255, 255, 255), (0, 0, 0)),
    "colour": Image.fromarray(BLACK_AND_WHITE.astype(np.uint8)),
}
TWO_VALUES = {
    "0 and 1": Image.fromarray(DISC.astype(np.uint8)),
    "128 and 255": Image.fromarray(np.where(DISC, 255, 128).astype(np.uint8)),
    "0 and 128": Image.fromarray(np.where(DISC, 128, 0).astype(np.uint8)),
    "16 bits, 0 and 1": Image.fromarray(DISC.astype(np.uint16)),
    "16 bits, 500 and 900": Image.fromarray(np.where(DISC, 900, 500).astype(np.uint16)),
    "floats, 0.2 and 0.7": Image.fromarray(np.where(DISC, 0.7, 0.2).astype(np.float32)),
    "palette, red on black": palette(DISC, (0, 0, 0), (128, 0, 0)),
    "palette, black behind yellow": palette(~DISC, (255, 230, 0), (0, 0, 0)),
    "colour, red on black": Image.fromarray(RED_ON_BLACK),
    "colour, yellow on blue": Image.fromarray(
        np.where(DISC[..., None], [255, 230, 0], [0, 0, 160]).astype(np.uint8)
    ),
}
TRANSPARENT = {
    "a photo's cut-out": cut_out(PHOTO, DISC),
    "a grey photo's cut-out": cut_out(GREY[..., None].repeat(3, -1), DISC),
    "white on transparent": cut_out(np.full((HEIGHT, WIDTH, 3), 255), DISC),
    "black on transparent": cut_out(np.zeros((HEIGHT, WIDTH, 3)), DISC),
    "grey with alpha": Image.fromarray(np.dstack([GREY, DISC * 255]).astype(np.uint8)),
    "black and white, in parts transparent": cut_out(BLACK_AND_WHITE, X < 170),
}


@pytest.mark.parametrize("kind", [*WHITE_ON_BLACK, *TWO_VALUES])
def test_of_two_values_the_brighter_one_is_the_object(tmp_path, caplog, kind):
    picture = (WHITE_ON_BLACK | TWO_VALUES)[kind]
    mask = loaded(tmp_path, picture, "mask.tif" if picture.mode == "F" else "mask.png")
    assert np.array_equal(mask.values, DISC) and not mask.soft
    assert ("the brighter one, is the object" in caplog.text) == (kind in TWO_VALUES)


@pytest.mark.parametrize("kind", TRANSPARENT)
def test_where_transparency_varies_the_opaque_part_is_the_object(tmp_path, caplog, kind):
    mask = loaded(tmp_path, TRANSPARENT[kind])
    assert np.array_equal(mask.values, DISC) and not mask.soft
    assert "is transparent in parts" in caplog.text


def test_transparency_that_is_the_same_everywhere_says_nothing(tmp_path):
    clear = cut_out(BLACK_AND_WHITE, np.full_like(DISC, True))
    clear.putalpha(120)
    assert np.array_equal(loaded(tmp_path, clear).values, DISC)
    clear.putalpha(0)
    with pytest.raises(AtelierError, match="empty"):
        loaded(tmp_path, clear)


@pytest.mark.parametrize("top", [255, 128])
@pytest.mark.parametrize("form", ["L", "RGB", "RGBA", "red"])
def test_edges_between_two_values_stay_soft(tmp_path, form, top):
    picture = smooth(top=top)
    expected = np.asarray(picture) / top
    if form == "red":
        black = Image.new("L", picture.size)
        picture = Image.merge("RGB", [picture, black, black])
    mask = loaded(tmp_path, picture.convert(form) if form in ("L", "RGB", "RGBA") else picture)
    assert not mask.soft
    assert abs(mask.values.numpy() - expected).max() < 0.01
    assert 0.1 < float(mask.values[(mask.values > 0) & (mask.values < 1)].mean()) < 0.9


def test_white_on_black_is_read_as_it_is(tmp_path, caplog):
    picture = smooth()
    assert np.array_equal(loaded(tmp_path, picture).values * 255, np.asarray(picture))
    assert not caplog.text


@pytest.mark.parametrize("blur", [2, 8])
def test_a_blurred_mask_keeps_its_slopes(tmp_path, blur):
    blurred = gaussian_filter(DISC * 255.0, blur).round().astype(np.uint8)
    mask = loaded(tmp_path, Image.fromarray(blurred))
    assert abs(mask.values.numpy() * 255 - blurred).max() < 2


@pytest.mark.parametrize(
    "values",
    [
        np.tile(np.linspace(0, 255, WIDTH), (HEIGHT, 1)),
        np.kron(np.tile(np.linspace(0, 250, 45), (HEIGHT, 1)), np.ones((1, 4))),
        np.full((HEIGHT, WIDTH), 128),
        np.full((HEIGHT, WIDTH), 60),
        180 * np.exp(-((Y - 60) ** 2 + (X - 90) ** 2) / 800),
    ],
    ids=["ramp", "broad ramp", "half grey", "dark grey", "bump"],
)
@pytest.mark.parametrize("bits", [8, 16])
def test_soft_masks_say_where_and_how_much(tmp_path, caplog, values, bits):
    kind, white = {8: (np.uint8, 255), 16: (np.uint16, 65535)}[bits]
    mask = loaded(tmp_path, Image.fromarray((values * (white / 255)).astype(kind)))
    assert mask.soft and "soft" in caplog.text
    assert abs(mask.values.numpy() - values / 255).max() < 0.01
    assert torch.equal(mask.where, (mask.values > 0).float())


@pytest.mark.parametrize("kind", ["8 bits", "16 bits", "colours"])
def test_few_values_are_strengths_where_that_is_said(tmp_path, kind):
    strengths = LABELS * np.uint8(120)
    picture = {
        "8 bits": Image.fromarray(strengths),
        "16 bits": Image.fromarray(strengths.astype(np.uint16) * 257),
        "colours": Image.fromarray(strengths).convert("RGB"),
    }[kind]
    mask = loaded(tmp_path, picture, value="strength")
    assert mask.soft and abs(mask.values.numpy() - strengths / 255).max() < 0.01


@pytest.mark.parametrize(
    ("picture", "names"),
    [
        (Image.fromarray(LABELS), "0 (71.0%), 1 (23.2%), 2 (5.8%)"),
        (Image.fromarray(LABELS * np.uint8(120)), "0 (71.0%), 120 (23.2%), 240 (5.8%)"),
        (Image.fromarray(LABELS.astype(np.uint16) * 1000), "0 (71.0%), 1000 (23.2%), 2000 (5.8%)"),
        (palette(LABELS, (0, 0, 0), (128, 0, 0), (0, 128, 0)), "0 (71.0%), 1 (23.2%), 2 (5.8%)"),
        (
            palette(LABELS, (0, 0, 0), (128, 0, 0), (0, 128, 0)).convert("RGB"),
            "#000000 (71.0%), #800000 (23.2%), #008000 (5.8%)",
        ),
    ],
    ids=["0 1 2", "grey levels", "16 bits", "palette", "colours"],
)
def test_labels_are_refused_and_one_can_be_chosen(tmp_path, picture, names):
    with pytest.raises(AtelierError) as refusal:
        loaded(tmp_path, picture)
    assert names in str(refusal.value) and "--mask-value" in str(refusal.value)
    zero, one, two = (word.split(" ")[0] for word in names.split(", "))
    assert np.array_equal(loaded(tmp_path, picture, value=two).values, OTHER)
    assert np.array_equal(loaded(tmp_path, picture, value=f"{one},{two}").values, DISC | OTHER)
    assert np.array_equal(loaded(tmp_path, picture, value=zero).values, ~(DISC | OTHER))
    with pytest.raises(AtelierError, match="has no value 77; it has"):
        loaded(tmp_path, picture, value="77")


def test_a_thin_outline_is_a_label_as_well(tmp_path):
    ring = (np.hypot(Y - 60, X - 70) < 42) & ~DISC
    with pytest.raises(AtelierError, match=r"0 .*, 1 .*, 255 "):
        loaded(tmp_path, Image.fromarray(np.where(ring, 255, DISC).astype(np.uint8)))


@pytest.mark.parametrize("quality", [60, 90])
@pytest.mark.parametrize("kind", ["L", "RGB", "red"])
def test_the_noise_of_jpeg_is_no_mask(tmp_path, kind, quality):
    picture = Image.fromarray(RED_ON_BLACK if kind == "red" else DISC * np.uint8(255))
    picture = picture if kind == "red" else picture.convert(kind)
    mask = loaded(tmp_path, picture, "mask.jpg", quality=quality)
    assert not mask.soft
    inside, outside = np.hypot(Y - 60, X - 70) < 30, np.hypot(Y - 60, X - 70) > 50
    assert mask.values[inside].min() == 1
    assert mask.values[outside].max() == 0


def test_labels_under_the_noise_of_jpeg_are_refused(tmp_path):
    with pytest.raises(AtelierError, match="several values"):
        loaded(tmp_path, Image.fromarray(LABELS * np.uint8(120)), "mask.jpg", quality=90)


def test_a_ramp_stays_one_under_the_noise_of_jpeg(tmp_path):
    ramp = np.tile(np.linspace(0, 255, WIDTH), (HEIGHT, 1))
    mask = loaded(tmp_path, Image.fromarray(ramp.astype(np.uint8)), "mask.jpg", quality=95)
    assert mask.soft
    assert abs(mask.values.numpy() * 255 - ramp).mean() < 3


def test_a_photo_is_no_mask(tmp_path):
    for name in ("mask.png", "mask.jpg", "mask.gif"):
        with pytest.raises(AtelierError, match=r"many colours|several values"):
            loaded(tmp_path, Image.fromarray(PHOTO), name)


def test_masks_are_scaled_to_the_picture_or_refused(tmp_path):
    half = Image.fromarray(
        np.where(np.arange(80) < 40, 0, 255)[None].repeat(40, 0).astype(np.uint8)
    )
    path = saved(tmp_path, half)
    mask = load_mask(path, (160, 80)).values
    assert mask.shape == (80, 160)
    assert mask[:, :70].max() == 0
    assert mask[:, 90:].min() == 1
    with pytest.raises(AtelierError, match="proportions"):
        load_mask(path, (100, 100))
    with pytest.raises(AtelierError, match="empty"):
        loaded(tmp_path, Image.new("L", (WIDTH, HEIGHT)))


@pytest.mark.parametrize("value", [255, 1])
def test_a_mask_of_one_value_is_of_everything(tmp_path, caplog, value):
    mask = loaded(tmp_path, Image.new("L", (WIDTH, HEIGHT), value))
    assert mask.values.min() == 1
    assert ("everything is the object" in caplog.text) == (value == 1)


def test_a_mask_of_everything_or_next_to_nothing_is_warned_of(tmp_path, caplog):
    speck = np.zeros((HEIGHT, WIDTH), np.uint8)
    speck[5:8, 5:8] = 255
    for picture, words in (
        (Image.fromarray(speck), "next to nothing, 0.04%"),
        (Image.fromarray(255 - speck), "nearly everything, 99.96%"),
        (Image.new("L", (WIDTH, HEIGHT), 128), "nearly everything, 100.00%"),
    ):
        caplog.clear()
        warn_of_coverage(loaded(tmp_path, picture), "mask.png")
        assert words in caplog.text
    caplog.clear()
    warn_of_coverage(loaded(tmp_path, Image.fromarray(DISC)), "mask.png")
    assert not caplog.text
