"""Files of many formats: read right, or refused by their names."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data

from datamodules.images import load_photo, load_picture
from datamodules.reading.opening import AMPLE_AREA, ample
from datamodules.support.errors import AtelierError

CAT = data.chelsea()[::3, ::3]


def pixels(path):
    return np.asarray(load_picture(str(path))).astype(int)


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "uint8", "uint16", "uint32"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_tiffs_of_any_depth_are_read(tmp_path, kind, compression):
    white = 1 if kind.startswith("float") else np.iinfo(kind).max
    values = (CAT / 255 * white).astype(kind)
    tifffile.imwrite(tmp_path / "cat.tif", values, compression=compression, photometric="rgb")
    assert abs(pixels(tmp_path / "cat.tif") - CAT).max() <= 1
    grey = values[..., 1]
    tifffile.imwrite(tmp_path / "grey.tif", grey, compression=compression)
    if kind != "uint32":  # of which Pillow takes 16 bits
        assert abs(pixels(tmp_path / "grey.tif")[..., 0] - CAT[..., 1]).max() <= 1


@pytest.mark.parametrize("kind", ["float32", "uint16"])
def test_tiffs_are_read_whatever_their_compression(tmp_path, kind):
    values = (CAT / 255 * (1 if kind == "float32" else 65535)).astype(kind)
    lzw = [cv2.IMWRITE_TIFF_COMPRESSION, cv2.IMWRITE_TIFF_COMPRESSION_LZW]
    cv2.imwrite(str(tmp_path / "cat.tif"), values[..., ::-1], lzw)
    assert abs(pixels(tmp_path / "cat.tif") - CAT).max() <= 1


def test_tiffs_of_floats_have_alpha_and_orientation(tmp_path):
    alpha = np.zeros(CAT.shape[:2])
    alpha[:, 40:] = 1
    values = np.dstack([CAT / 255, alpha]).astype(np.float32)
    options = {"photometric": "rgb", "extrasamples": ["unassalpha"]}
    tifffile.imwrite(tmp_path / "cat.tif", values, extratags=[(274, 3, 1, 6, True)], **options)
    photo = np.asarray(load_photo(str(tmp_path / "cat.tif")))
    assert np.array_equal(np.rot90(photo)[..., 3], 255 * alpha)
    planes = np.moveaxis(values, -1, 0)
    tifffile.imwrite(tmp_path / "cat.tif", planes, planarconfig="separate", **options)
    assert (
        abs(np.asarray(load_photo(str(tmp_path / "cat.tif")))[:, 40:, :3] - CAT[:, 40:]).max() == 0
    )


@pytest.mark.parametrize(("white", "message"), [(1, False), (255, True), (65535, True)])
def test_the_white_of_floats_is_found_and_said(tmp_path, caplog, white, message):
    Image.fromarray((CAT[..., 0] / 255 * white).astype(np.float32)).save(tmp_path / "grey.tif")
    assert abs(pixels(tmp_path / "grey.tif")[..., 0] - CAT[..., 0]).max() <= 1
    assert (f"white is taken to be {white}" in caplog.text) == message


def test_sixteen_bits_of_colour_in_a_png_are_read(tmp_path):
    cv2.imwrite(str(tmp_path / "cat.png"), CAT[..., ::-1].astype(np.uint16) * 257)
    assert np.array_equal(pixels(tmp_path / "cat.png"), CAT)


def test_heic_is_read_and_its_library_waits_until_then(tmp_path):
    import pillow_heif

    turned = np.ascontiguousarray(np.rot90(CAT))
    pillow_heif.from_pillow(Image.fromarray(turned)).save(tmp_path / "cat.heic", quality=95)
    assert abs(pixels(tmp_path / "cat.heic") - turned).mean() < 4
    (tmp_path / "photo.jpg").write_bytes((tmp_path / "cat.heic").read_bytes())  # a wrong name
    assert pixels(tmp_path / "photo.jpg").shape == turned.shape
    program = (
        "import sys; from datamodules.reading.opening import open_picture;"
        f"open_picture('skimage:chelsea'); assert 'pillow_heif' not in sys.modules;"
        f"assert open_picture({str(tmp_path / 'cat.heic')!r}).size == {turned.shape[1::-1]}"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_avif_is_read(tmp_path):
    Image.fromarray(CAT).save(tmp_path / "cat.avif", quality=95)
    assert abs(pixels(tmp_path / "cat.avif") - CAT).mean() < 4


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        *((f"photo.{s}", "tiff", "camera raw") for s in ("CR2", "nef", "arw", "dng", "orf", "pef")),
        *((f"photo.{s}", b"?", "camera raw") for s in ("cr3", "RAF", "rw2", "srw")),
        ("photo.jpg", b"FUJIFILMCCD-RAW 0201", "camera raw"),
        ("photo.tif", b"IIU\0\x18\0\0\0", "camera raw"),
        ("photo.cr", b"\0\0\0\x18ftypcrx \0\0\0\1", "camera raw"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "vector drawing"),
        ("drawing.png", b"<?xml version='1.0'?>\n<!-- x -->\n<svg/>", "vector drawing"),
        ("drawing.eps", b"%!PS-Adobe-3.0 EPSF-3.0", "vector drawing"),
        ("page.pdf", b"%PDF-1.7", "a PDF"),
        ("page", b"%PDF-1.7", "a PDF"),
        ("layers.psd", b"8BPS\0\1broken", "document of an image editor"),
        ("layers.xcf", b"gimp xcf v011", "document of an image editor"),
        ("light.exr", b"v/1\x01\2\0\0\0", "high dynamic range"),
        ("cat.jxl", b"\xff\x0a\0\0", "JPEG XL"),
        ("film.mp4", b"\0\0\0\x20ftypisom\0\0\2\0", "a video"),
    ],
)
def test_what_is_not_read_is_refused_by_its_name(tmp_path, name, content, words):
    if content == "tiff":  # the preview that raw files hold
        Image.fromarray(CAT).save(tmp_path / name, format="TIFF")
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AtelierError, match=words) as refusal:
        load_picture(str(tmp_path / name))
    assert "Atelier does not read; " in str(refusal.value)


@pytest.mark.parametrize("tag", [{254: 1}, {50706: b"\1\4\0\0"}])
def test_the_preview_of_a_raw_file_under_another_name_is_no_picture(tmp_path, tag):
    Image.fromarray(CAT).save(tmp_path / "photo.tif", tiffinfo=tag)
    with pytest.raises(AtelierError, match="camera raw"):
        load_picture(str(tmp_path / "photo.tif"))


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif", "avif"])
def test_of_several_pictures_the_first_is_used_and_it_is_said(tmp_path, caplog, suffix):
    first, second = Image.fromarray(CAT), Image.new("RGB", CAT.shape[1::-1], "red")
    path = tmp_path / f"moving.{suffix}"
    first.save(path, save_all=True, append_images=[second])
    assert abs(pixels(path) - CAT).mean() < 12
    assert "holds 2 pictures; the first is used" in caplog.text


def test_a_second_picture_that_a_camera_adds_is_not_spoken_of(tmp_path, caplog):
    Image.fromarray(CAT).save(
        tmp_path / "photo.jpg", "MPO", save_all=True, append_images=[Image.fromarray(CAT)]
    )
    assert pixels(tmp_path / "photo.jpg").shape == CAT.shape
    assert not caplog.text


def test_a_large_photo_is_worked_on_at_24_megapixels_or_as_large_as_is_needed():
    assert ample((6000, 4000), 0) == (6000, 4000)
    assert ample((12000, 9000), None) == (12000, 9000)
    width, height = ample((12000, 9000), 0)
    assert width * height == pytest.approx(AMPLE_AREA, rel=1e-3)
    assert ample((12000, 9000), 8000) == (8000, 6000)
    assert ample((12000, 9000), 20000) == (12000, 9000)


@pytest.mark.parametrize(("name", "mode"), [("a.jpg", "RGB"), ("a.png", "P"), ("a.png", "RGBA")])
def test_a_large_photo_looks_the_same_when_it_is_loaded_smaller(tmp_path, monkeypatch, name, mode):
    monkeypatch.setattr("datamodules.reading.opening.AMPLE_AREA", 10_000)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(data.chelsea()).convert(mode).save(tmp_path / name, exif=exif, quality=95)
    whole = load_picture(str(tmp_path / name))
    small = load_photo(str(tmp_path / name), at_least=60)
    assert small.width * small.height == pytest.approx(10_000, rel=0.03)
    assert small.width / small.height == pytest.approx(whole.width / whole.height, rel=0.02)
    expected = np.asarray(whole.resize(small.size, Image.Resampling.LANCZOS)).astype(int)
    assert abs(np.asarray(small.convert("RGB")) - expected).mean() < 2
