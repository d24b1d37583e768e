"""Photos in folders."""

import pytest
from PIL import Image

from datamodules.support.errors import AtelierError
from datamodules.training.files import picture_files
from tests.support.training import photos


def test_folders_are_searched_to_their_ends_and_through_links(tmp_path):
    photos(tmp_path / "a" / "deep", 2)
    photos(tmp_path / "b", 1)
    (tmp_path / "a" / "notes.txt").write_text("no picture")
    (tmp_path / "a" / "link").symlink_to(tmp_path / "b")
    (tmp_path / "a" / "circle").symlink_to(tmp_path / "a")
    files = picture_files([str(tmp_path / "a")])
    names = [str(file.relative_to(tmp_path)) for file in files]
    assert names == ["a/deep/photo0.png", "a/deep/photo1.png", "a/link/photo0.png"]
    twice = picture_files([str(tmp_path / "a"), str(tmp_path / "a"), str(files[0])])
    assert twice == files


def test_packages_ship_photos():
    files = picture_files(["packages"])
    assert len(files) >= 10
    for file in files:
        with Image.open(file) as picture:
            assert min(picture.size) > 200


def test_places_without_a_picture_that_can_be_read_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "photo.png").write_text("no picture")
    cases = {
        "nowhere": "There is no folder .*nowhere",
        "empty": "empty has no picture; give a folder",
        "bad": "bad has no picture that can be read: .*photo.png is not a picture",
    }
    for name, sentence in cases.items():
        with pytest.raises(AtelierError, match=sentence):
            picture_files([str(tmp_path / name)])
    with pytest.raises(AtelierError, match="--folder"):
        picture_files([])
