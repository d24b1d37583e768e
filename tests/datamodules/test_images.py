"""Pictures as people have them: every kind is read right or refused in one sentence."""

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.images import (
    enhance,
    feather,
    fit_within,
    load_picture,
    save_png,
    to_picture,
    to_tensor,
)
from datamodules.support.errors import AtelierError
from datamodules.support.files import atomic, slug, write_json
from evaluation.contact_sheet import labelled_grid


@pytest.fixture
def gradient():
    """An RGB picture, 48 wide and 40 high, dark at the left and light at the right."""
    values = np.tile(np.linspace(0, 255, 48).astype(np.uint8), (40, 1))
    return Image.fromarray(np.stack([values] * 3, axis=-1))


def saved(tmp_path, picture, name="picture.png", **options):
    picture.save(tmp_path / name, **options)
    return str(tmp_path / name)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "CMYK", "RGBA", "LA", "1"])
def test_every_mode_becomes_rgb(tmp_path, gradient, mode):
    name = "picture.tif" if mode == "CMYK" else "picture.png"
    picture = load_picture(saved(tmp_path, gradient.convert(mode), name))
    assert (picture.mode, picture.size) == ("RGB", (48, 40))
    values = np.asarray(picture).mean(axis=(0, 2))
    assert values[:8].mean() < 60
    assert values[-8:].mean() > 195


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    values = np.tile(np.linspace(0, 65535, 48).astype(np.uint16), (40, 1))
    picture = load_picture(saved(tmp_path, Image.fromarray(values)))
    assert np.asarray(picture)[0, 24, 0] == pytest.approx(130, abs=2)


def test_transparency_is_laid_on_white(tmp_path):
    clear = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    assert load_picture(saved(tmp_path, clear)).getpixel((5, 5)) == (255, 255, 255)


def test_exif_rotation_is_applied(tmp_path, gradient):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: shown upright it is 40 wide and 48 high
    path = saved(tmp_path, gradient, "turned.jpg", exif=exif)
    assert load_picture(path).size == (40, 48)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("missing.png", None, "There is no picture at"),
        ("text.png", b"this is not a picture", "is not a picture"),
        ("empty.png", b"", "is not a picture"),
    ],
)
def test_what_is_no_picture_is_said(tmp_path, name, content, sentence):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AtelierError, match=sentence):
        load_picture(str(tmp_path / name))


def test_a_folder_is_no_picture(tmp_path):
    with pytest.raises(AtelierError, match="cannot be read"):
        load_picture(str(tmp_path))


def test_a_truncated_picture_is_said(tmp_path, gradient):
    path = saved(tmp_path, gradient.resize((480, 400)), "cut.jpg")
    whole = (tmp_path / "cut.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AtelierError, match="damaged"):
        load_picture(path)


@pytest.mark.parametrize("size", [(30_000, 30_000), (20_000, 13_000)])
def test_a_decompression_bomb_is_not_decompressed(tmp_path, size):
    with pytest.raises(AtelierError, match="scale it down"):
        load_picture(saved(tmp_path, Image.new("1", size)))


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (31, 500)])
def test_a_tiny_picture_is_said(tmp_path, size):
    with pytest.raises(AtelierError, match="too small"):
        load_picture(saved(tmp_path, Image.new("RGB", size)))


def test_packaged_pictures_are_found_by_name():
    assert load_picture("skimage:rocket").size == (640, 427)
    with pytest.raises(AtelierError, match=r"it ships .*rocket"):
        load_picture("skimage:unicorn")
    with pytest.raises(AtelierError, match="ships no picture"):
        load_picture("skimage:../data/rocket")


def test_fitting_keeps_the_proportions_and_never_enlarges():
    assert fit_within(Image.new("RGB", (640, 427)), 320).size == (320, 214)
    assert fit_within(Image.new("RGB", (100, 50)), 320).size == (100, 50)
    with pytest.raises(AtelierError, match="too elongated"):
        fit_within(Image.new("RGB", (5000, 60)), 320)


def test_tensors_and_pictures_convert_without_loss(gradient):
    assert np.array_equal(np.asarray(to_picture(to_tensor(gradient))), np.asarray(gradient))


def test_feathering_softens_the_edge_and_leaves_the_rest():
    mask = torch.zeros(60, 60)
    mask[20:40, 20:40] = 1
    soft = feather(mask, 2.0)
    assert soft[30, 30] == 1
    assert soft[30, 5] == 0
    assert 0 < soft[30, 19] < 1
    assert torch.equal(feather(mask, 0), mask)


def test_enhancing_raises_the_contrast_by_half():
    image = torch.tensor([0.4, 0.6]).expand(3, 1, 2)
    expected = torch.tensor([0.35, 0.65]).expand(3, 1, 2)
    torch.testing.assert_close(enhance(image), expected, atol=1e-4, rtol=0)
    assert enhance(image, stretch=True).tolist() == [[[0, 1]]] * 3


def test_a_failed_write_leaves_nothing(tmp_path):
    path = tmp_path / "new" / "result.json"
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"loss": float("nan")})

    def fail():
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("cut off")

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.rglob("*.json")) == []
    assert list((tmp_path / "new").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path, gradient):
    (tmp_path / "file").write_text("")
    with pytest.raises(AtelierError, match="choose another place"):
        save_png(gradient, tmp_path / "file" / "output.png")


def test_names_never_become_paths():
    assert slug("../../etc/passwd") == "etc-passwd"
    assert slug("Starry Night by Vincent van Gogh") == "starry-night-by-vincent-van-gogh"
    assert slug("火") == "x"
    assert len(slug("a" * 300)) == 40


def test_a_sheet_holds_every_picture_and_its_words():
    red, blue = (Image.new("RGB", (60, 40), colour) for colour in ("red", "blue"))
    sheet = labelled_grid([(red, ["red"]), (blue, ["blue", "a line far too long " * 5])], columns=2)
    assert sheet.width == 2 * (60 + 16)
    assert sheet.getpixel((30, 20)) == (255, 0, 0)
    assert sheet.getpixel((76 + 30, 20)) == (0, 0, 255)
    words = np.asarray(sheet.crop((0, 50, sheet.width, sheet.height)).convert("L"))
    assert (words < 128).any()
    assert (words[:, -6:] == 255).all()  # the margin stays free
    bare = labelled_grid([(red, []), (blue, [])], columns=2, gap=8, border=0)
    assert bare.size == (2 * 60 + 8, 40)
