"""Colours of pictures with profiles: what the file means is what is loaded."""

import numpy as np
import pytest
from PIL import Image, ImageCms
from skimage import data

from datamodules.images import load_photo, load_picture, save_png
from tests.support.icc import SPACES, cmyk_profile, encoded, grey_profile, rgb_profile

CAT = data.chelsea()[::3, ::3]


def loaded(folder, picture, profile, name="picture.png"):
    picture.save(folder / name, icc_profile=profile)
    return np.asarray(load_picture(str(folder / name))).astype(int)


@pytest.mark.parametrize("space", SPACES)
def test_colours_come_out_as_they_are_meant(tmp_path, space):
    picture = Image.fromarray(encoded(CAT, space))
    assert space == "sRGB" or abs(np.asarray(picture).astype(int) - CAT).mean() > 3
    for suffix in ("png", "tif"):
        result = loaded(tmp_path, picture, rgb_profile(space), f"picture.{suffix}")
        assert abs(result - CAT).mean() < 0.4
    for suffix in ("jpg", "webp", "avif"):  # lossy: the mean colour counts
        result = loaded(tmp_path, picture, rgb_profile(space), f"picture.{suffix}")
        assert abs((result - CAT).mean((0, 1))).max() < 1.5


def test_colours_that_are_srgb_already_keep_every_bit(tmp_path):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(loaded(tmp_path, Image.fromarray(CAT), srgb), CAT)
    assert np.array_equal(loaded(tmp_path, Image.fromarray(CAT), None), CAT)


def test_a_linear_grey_becomes_lighter(tmp_path):
    result = loaded(tmp_path, Image.new("L", (40, 40), 128), grey_profile(1.0))
    assert result[0, 0].tolist() == [188] * 3
    values = np.full((40, 40), 128 * 257, np.uint16)
    result = loaded(tmp_path, Image.fromarray(values), grey_profile(1.0))
    assert result[0, 0].tolist() == [188] * 3


def test_grey_under_a_profile_for_colours_is_read(tmp_path):
    result = loaded(tmp_path, Image.new("L", (40, 40), 100), rgb_profile("ProPhoto"))
    assert result[0, 0] == pytest.approx([119] * 3, abs=1)  # (100 / 255) ** 1.8, in sRGB


@pytest.mark.parametrize(
    ("inks", "grey"), [((0, 0, 0, 0), 255), ((255, 0, 0, 0), 118), ((0, 0, 255, 255), 0)]
)
def test_inks_print_as_their_profile_says(tmp_path, inks, grey):
    picture = Image.new("CMYK", (40, 40), inks)
    result = loaded(tmp_path, picture, cmyk_profile(), "picture.tif")
    assert result[0, 0] == pytest.approx([grey] * 3, abs=1)


@pytest.mark.parametrize(
    "profile", [b"no profile", rgb_profile("Adobe RGB")[:200], grey_profile(1.0), cmyk_profile()]
)
def test_a_profile_that_cannot_be_used_is_said(tmp_path, caplog, profile):
    assert np.array_equal(loaded(tmp_path, Image.fromarray(CAT), profile), CAT)
    (record,) = caplog.records
    assert "picture.png cannot be used" in record.getMessage()
    assert "taken as sRGB" in record.getMessage()


def test_lab_is_converted(tmp_path):
    lab = ImageCms.profileToProfile(
        Image.fromarray(CAT),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )
    assert abs(loaded(tmp_path, lab, None, "picture.tif") - CAT).mean() < 2


def test_transparency_outlives_the_conversion(tmp_path):
    alpha = np.zeros(CAT.shape[:2], np.uint8)
    alpha[:, 40:] = 255
    picture = Image.fromarray(np.dstack([encoded(CAT, "ProPhoto"), alpha]))
    picture.save(tmp_path / "cut.png", icc_profile=rgb_profile("ProPhoto"))
    photo = load_photo(str(tmp_path / "cut.png"))
    assert photo.mode == "RGBA"
    assert np.array_equal(np.asarray(photo)[..., 3], alpha)
    assert abs(np.asarray(photo)[:, 40:, :3].astype(int) - CAT[:, 40:]).mean() < 0.4


def test_written_pictures_say_that_they_are_srgb_and_nothing_else(tmp_path):
    Image.fromarray(CAT).save(tmp_path / "in.jpg", icc_profile=rgb_profile("Adobe RGB"), exif=EXIF)
    save_png(load_photo(str(tmp_path / "in.jpg")), tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as written:
        assert written.info == {"srgb": 0}
        assert not written.getexif()


EXIF = Image.Exif()
EXIF[0x010F], EXIF[0x9003] = "a camera", "2024:05:01 12:00:00"
EXIF.get_ifd(0x8825)[1] = "N"  # a place on Earth
