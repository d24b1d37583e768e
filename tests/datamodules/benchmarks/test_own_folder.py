"""Benchmark sets from folders of one's own."""

import unicodedata

import pytest

from datamodules.benchmarks.own_folder import folder_set
from datamodules.support.errors import AtelierError
from tests.support.sets import paint


@pytest.fixture
def photos(tmp_path):
    """A folder with two pictures, a text and a folder."""
    paint(tmp_path / "photos" / "car.jpg", 1)
    paint(tmp_path / "photos" / "boat.png", 2)
    paint(tmp_path / "photos" / "deeper" / "hidden.png", 3)
    (tmp_path / "photos" / "notes.txt").write_text("none")
    return tmp_path / "photos"


def listed(tmp_path, *lines, encoding="utf-8"):
    (tmp_path / "list.txt").write_text("\n".join(lines), encoding=encoding)
    return tmp_path / "list.txt"


def pairs(loaded):
    return [(entry.picture, entry.settings["data.instruction"]) for entry in loaded.entries]


def test_every_picture_gets_every_instruction(tmp_path, photos):
    lines = ["# mine", "", "Turn the car to fire", "  Make it look like #ff0000  "]
    loaded = folder_set(photos, listed(tmp_path, *lines, lines[2], encoding="utf-8-sig"))
    assert pairs(loaded) == [
        ("boat", "Turn the car to fire"),
        ("boat", "Make it look like #ff0000"),
        ("car", "Turn the car to fire"),
        ("car", "Make it look like #ff0000"),
    ]
    assert loaded.name == "photos"
    assert loaded.kind == "pictures"
    assert loaded.missing == {}
    assert loaded.entries[0].image == str(photos / "boat.png")
    assert loaded.entries[0].labels == {"picture": "boat", "instruction": "Turn the car to fire"}


def test_a_line_can_name_one_picture(tmp_path, photos):
    lines = ["BOAT.png: Turn the boat to fire", "Pop art: make it so", "plane.jpg: Turn it to gold"]
    loaded = folder_set(photos, listed(tmp_path, *lines))
    assert pairs(loaded) == [
        ("boat", "Turn the boat to fire"),
        ("boat", "Pop art: make it so"),
        ("car", "Pop art: make it so"),
    ]
    assert "has no picture plane.jpg" in loaded.missing["plane.jpg"]


def test_weird_names_are_only_names(tmp_path):
    accent = unicodedata.normalize("NFD", "été.png")  # as macOS writes it
    names = ["a: b.png", "b.png", "b.JPG", " sp ace'\"$.png", "--x.png", "кот.webp", accent]
    for shade, name in enumerate(names):
        paint(tmp_path / "photos" / name, shade)
    lines = ["a: b.png: one", "été.png: two", "b.png: three", "b.JPG: four", "кот.webp: five"]
    loaded = folder_set(tmp_path / "photos", listed(tmp_path, *lines))
    assert loaded.missing == {}
    assert set(pairs(loaded)) == {
        ("a: b", "one"),
        (accent.removesuffix(".png"), "two"),
        ("b.png", "three"),  # its stem is not its own
        ("b.JPG", "four"),
        ("кот", "five"),
    }
    whole = folder_set(tmp_path / "photos", listed(tmp_path, "Turn it to fire"))
    assert len({entry.picture for entry in whole.entries}) == len(names)


def test_pictures_that_cannot_be_read_are_named_and_the_rest_goes_on(tmp_path, photos):
    (photos / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (photos / "phone.heic").write_bytes(b"ftypheic")
    (photos / "._car.jpg").write_bytes(b"what a system keeps beside a picture")
    paint(photos / "tiny.png", size=(8, 8))
    (photos / "gone.png").symlink_to(photos / "nowhere.png")
    loaded = folder_set(photos, listed(tmp_path, "Turn it to fire"))
    assert set(loaded.missing) == {"bad", "phone", "tiny"}
    assert "too small" in loaded.missing["tiny"]
    assert [name for name, _ in pairs(loaded)] == ["boat", "car"]
    only = folder_set(photos, listed(tmp_path, "car.jpg: Turn it to fire"))
    assert only.missing == {}  # nothing was asked of the others


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [([], "has no instructions"), (["", "# only this", "  "], "has no instructions")],
)
def test_an_empty_list_is_refused(tmp_path, photos, lines, sentence):
    with pytest.raises(AtelierError, match=sentence):
        folder_set(photos, listed(tmp_path, *lines))


def test_a_list_that_cannot_be_read_is_refused(tmp_path, photos):
    with pytest.raises(AtelierError, match=r"no instructions to read at .*nowhere.txt"):
        folder_set(photos, tmp_path / "nowhere.txt")
    with pytest.raises(AtelierError, match="not a UTF-8 text"):
        folder_set(photos, listed(tmp_path, "Turn it to fire", encoding="utf-16"))
    with pytest.raises(AtelierError, match="no instructions to read"):
        folder_set(photos, tmp_path)


def test_a_folder_without_pictures_is_refused(tmp_path):
    lines = listed(tmp_path, "Turn it to fire")
    (tmp_path / "empty").mkdir()
    with pytest.raises(AtelierError, match="has no pictures"):
        folder_set(tmp_path / "empty", lines)
    with pytest.raises(AtelierError, match="There is no folder"):
        folder_set(tmp_path / "nowhere", lines)
    with pytest.raises(AtelierError, match="There is no folder"):
        folder_set(lines, lines)
