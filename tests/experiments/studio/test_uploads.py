"""Uploads, decoded in processes with limits."""

import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from skimage import data

from datamodules.support.errors import AtelierError
from experiments.studio import uploads
from experiments.studio.sessions import Sessions
from experiments.studio.uploads import admit


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    with Sessions(tmp_path_factory.mktemp("sessions")) as sessions:
        yield sessions.of("a" * 32)


def refusal(upload, session):
    """The sentence that refuses an upload."""
    before = set(session.folder.iterdir())
    with pytest.raises(AtelierError) as error:
        admit(upload, session)
    assert set(session.folder.iterdir()) == before
    assert str(upload.parent) not in str(error.value)
    return str(error.value)


def test_a_photo_becomes_an_upright_png_of_ours_without_metadata(tmp_path, session):
    upload = tmp_path / "../My cat's <photo>.jpg"
    photo, exif = Image.fromarray(data.chelsea()), Image.Exif()
    exif[0x0112], exif[0x013B] = 6, "Anne"  # turned to the right; the photographer
    photo.save(upload, exif=exif, comment=b"secret")
    admission = admit(upload, session)
    assert upload.exists()  # another visitor's upload of the same file has its name
    assert session.owns(admission.file)
    assert admission.file.name.startswith("photo-") and admission.warnings == ()
    with Image.open(admission.file) as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (300, 451))
        assert not picture.getexif() and set(picture.info) <= {"srgb"}
        expected = np.asarray(photo.rotate(-90, expand=True)).astype(int)
        assert abs(np.asarray(picture) - expected).mean() < 5


def test_transparency_and_a_recipe_stay_and_a_second_frame_is_said(tmp_path, session):
    upload, text = tmp_path / "a.png", PngImagePlugin.PngInfo()
    text.add_text("atelier", "data:\n  object: cat")
    shape = Image.new("RGBA", (40, 50), (255, 0, 0, 128))
    shape.save(upload, pnginfo=text)
    admission = admit(upload, session)
    assert admission.recipe == "data:\n  object: cat"
    assert Image.open(admission.file).getpixel((3, 3)) == (255, 0, 0, 128)
    upload = tmp_path / "moving.webp"
    shape.save(upload, save_all=True, append_images=[Image.new("RGBA", (40, 50))], lossless=True)
    admission = admit(upload, session)
    assert admission.warnings == ("The file holds 2 pictures; the first is used",)


def test_a_large_photo_is_scaled_down(tmp_path, session):
    upload = tmp_path / "a.png"
    Image.new("RGB", (8200, 100), "blue").save(upload)
    assert Image.open(admit(upload, session).file).size == (4096, 50)


def bomb(path, width, height):
    """A small PNG that says it is large."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(1000), 9)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path, session):
    bomb(tmp_path / "a.png", 12_000, 10_001)
    assert refusal(tmp_path / "a.png", session) == (
        "The file has 12000x10001 px, more than the limit of 120 megapixels; scale it down first"
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.png", b"hello, world", "The file is not a picture; give a PNG, JPEG"),
        ("a.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "a vector drawing"),
        ("a.png", b"%PDF-1.7\n", "a PDF, which Atelier does not read"),
        ("a.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a vector drawing"),
        ("a.psd", b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 64, 64, 8, 3) + bytes(99),
         "a document of an image editor"),
        ("a.jpg", b"\xff\xd8\xff\xe0" + bytes(50), "The file"),
        ("a.png", b"", "The file is not a picture"),
    ],
    ids=["text", "svg", "pdf", "eps", "psd", "jpeg", "empty"],
)  # fmt: skip
def test_whatever_is_no_picture_is_refused_in_a_sentence(tmp_path, session, name, content, words):
    upload = tmp_path / name
    upload.write_bytes(content)
    assert words in refusal(upload, session)


def test_a_small_picture_and_a_missing_one_are_refused(tmp_path, session):
    upload = tmp_path / "a.png"
    Image.new("RGB", (31, 40)).save(upload)
    assert "31x40 px: too small; give a picture of at least 32x32" in refusal(upload, session)
    upload.unlink()
    assert "not there any more" in refusal(upload, session)


def test_a_large_file_is_refused_before_it_is_read(tmp_path, session):
    upload = tmp_path / "a.png"
    with upload.open("wb") as file:
        file.truncate(60 * 2**20)
    assert refusal(upload, session).startswith("The file has 60 MB, more than the limit of 50 MB;")


def test_a_picture_that_takes_too_long_is_refused(tmp_path, session, monkeypatch):
    monkeypatch.setattr(uploads, "PATIENCE", 0.01)
    upload = tmp_path / "a.png"
    Image.new("RGB", (40, 40)).save(upload)
    assert "takes too much memory or time" in refusal(upload, session)


LIMITS = """
import resource
from experiments.studio import decoding
decoding.MEMORY = 2**28
decoding.decode = lambda *names: bytes(2**28)
decoding.main("/x/a.png", "b.png")
print(resource.getrlimit(resource.RLIMIT_CPU)[0], resource.getrlimit(resource.RLIMIT_FSIZE)[0])
"""


def test_the_process_that_decodes_has_little_memory_and_time():
    done = subprocess.run(
        [sys.executable, "-c", LIMITS], capture_output=True, text=True, check=True
    )
    answer, limits = done.stdout.splitlines()
    assert "takes too much memory to decode" in answer
    assert limits == f"20 {2**28}"
