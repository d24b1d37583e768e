"""Training samples: pure functions of seed and number, cut from photos without changing pixels."""

import logging
from collections import Counter
from itertools import islice

import pytest
import torch

from datamodules.images import load_picture, to_tensor
from datamodules.photos import PhotosDataModule, Samples
from datamodules.support.errors import AtelierError
from datamodules.training.files import picture_files
from tests.support.training import photos

STYLES = [((1.0, text),) for text in ("fire", "ice", "wool")]


@pytest.fixture
def files(tmp_path):
    return picture_files([str(photos(tmp_path / "photos"))])


def place(crop, photo):
    """Left and top of a crop in the photo, None where no place has just these pixels."""
    side = crop.shape[1]
    for top in range(photo.shape[1] - side + 1):
        for left in range(photo.shape[2] - side + 1):
            if torch.equal(photo[:, top : top + side, left : left + side], crop):
                return left, top
    return None


def test_a_crop_has_the_pixels_of_one_photo_at_a_random_place(files):
    samples = Samples(files, STYLES, crop=32)
    originals = [to_tensor(load_picture(str(file))) for file in files]
    places = [[place(samples[n].content, photo) for photo in originals] for n in range(10)]
    assert all(sum(at is not None for at in row) == 1 for row in places)
    assert len({at for row in places for at in row}) > 6
    sources = [next(k for k, at in enumerate(row) if at) for row in places]
    assert sorted(sources[:5]) == sorted(sources[5:]) == list(range(5))


def test_each_style_comes_as_often_as_the_others(files):
    samples = Samples(files, STYLES, crop=32)
    counts = Counter(samples[number].style for number in range(12))
    assert counts == dict.fromkeys(STYLES, 4)


def test_a_sample_is_a_function_of_seed_and_number(files):
    settings = {"crop": 32, "scales": (0.5, 2.0), "flip": True}
    first, again, other = (Samples(files, STYLES, **settings, seed=seed) for seed in (1, 1, 2))
    backwards = {number: again[number] for number in reversed(range(8))}
    for number in range(8):
        assert torch.equal(first[number].content, backwards[number].content)
        assert first[number].style == backwards[number].style
    assert not torch.equal(first[0].content, other[0].content)


def test_scales_and_flips_change_the_crop_and_small_photos_are_enlarged(tmp_path, files):
    wide = Samples(files, STYLES, crop=32, scales=(0.8, 0.8))[0].content
    assert wide.shape == (3, 32, 32)
    assert (wide - Samples(files, STYLES, crop=32)[0].content).abs().mean() > 0.01
    plain, mirrored = (Samples(files, STYLES, 32, flip=flip) for flip in (False, True))
    pairs = [(plain[n].content, mirrored[n].content) for n in range(12)]
    flips = [torch.equal(a.flip(-1), b) for a, b in pairs]
    assert 2 < sum(flips) < 10
    assert all(flip or torch.equal(a, b) for flip, (a, b) in zip(flips, pairs, strict=True))
    assert Samples(files, STYLES, crop=64)[0].content.shape == (3, 64, 64)


def test_bad_photos_are_named_once_and_replaced_by_the_same_ones(files, caplog):
    files[1].write_bytes(files[1].read_bytes()[:200])
    files[3].write_text("no picture")
    data = PhotosDataModule([str(files[0].parent)], ["fire"], crop=32, batch_size=5, workers=0)
    data.setup()
    with caplog.at_level(logging.WARNING):
        batches = [
            data.on_before_batch_transfer(batch, 0) for batch in islice(data.train_dataloader(), 3)
        ]
    lines = [message for message in caplog.messages if message.startswith("Skipped: ")]
    assert sorted(name for line in lines for name in ("photo1", "photo3") if name in line) == [
        "photo1",
        "photo3",
    ]
    again = [batch.contents for batch in islice(data.train_dataloader(), 3)]
    assert all(map(torch.equal, [batch.contents for batch in batches], again))


def test_workers_deliver_what_the_process_itself_would(files):
    own, workers = (
        PhotosDataModule([str(files[0].parent)], ["fire", "ice"], 32, 3, flip=True, workers=count)
        for count in (0, 2)
    )
    pairs = zip(own.train_dataloader(), islice(workers.train_dataloader(), 4), strict=False)
    for a, b in pairs:
        assert torch.equal(a.contents, b.contents)
        assert torch.equal(a.numbers, b.numbers)
        assert torch.equal(a.steps, b.numbers // 3)
        assert a.styles == b.styles


def test_other_photos_or_styles_after_a_break_are_said(files, caplog):
    folder = [str(files[0].parent)]
    state = PhotosDataModule(folder, ["fire"]).state_dict()
    PhotosDataModule(folder, ["fire"]).load_state_dict(state)
    assert not caplog.messages
    PhotosDataModule(folder, ["ice"]).load_state_dict(state)
    files[0].rename(files[0].with_name("other.png"))
    PhotosDataModule(folder, ["fire"]).load_state_dict(state)
    assert sum("not those of the interrupted training" in line for line in caplog.messages) == 2


@pytest.mark.parametrize(
    "settings", [{"crop": 8}, {"scales": (2.0, 1.0)}, {"scales": (0.0, 1.0)}, {"workers": -1}]
)
def test_settings_outside_of_their_ranges_are_refused(settings):
    with pytest.raises(AtelierError, match="Photos cannot be cut"):
        PhotosDataModule("packages", ["fire"], **settings)
