"""`atelier.stylize`: the command's picture, on files, pictures and arrays."""

import logging
import os
import random
import signal
import threading
import warnings
from pathlib import Path

import atelier
import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from datamodules.reading.in_memory import file_of
from datamodules.run_folder import MASK, OUTPUT, RunFolder
from tests.support.pictures import pixels
from tests.support.tiny import NETWORKS

REQUEST = {  # of the fixture `finished_run`
    "steps": 6,
    "seed": 3,
    "size": 96,
    "brush": 0.4,
    "settings": {"model.patches.count": 6},
}
CAT = data.chelsea()
DISC = np.hypot(*(np.mgrid[:300, :451] - np.array([150, 225])[:, None, None])) < 100
QUICK = {"steps": 1, "size": 64, "full_size": 0, "settings": {"model.patches.count": 2, **NETWORKS}}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    out = tmp_path_factory.mktemp("python") / "run"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # there is nothing to warn of
        return atelier.stylize(CAT, "Turn the cat into a mosaic", out=out, **REQUEST)


PICTURES = (OUTPUT, MASK, "output_full.png", "output_enhanced.png")


def same(first, second, read):
    """Whether two runs have the same pictures, by their bytes or by their pixels."""
    return all(read(first / name) == read(second / name) for name in PICTURES)


def test_an_array_gives_the_pixels_that_the_command_gives_for_the_file(result, finished_run):
    assert same(result.folder, finished_run.folder, pixels)  # the recipes name other files
    assert result.targets == (atelier.StyleTarget("cat", "mosaic"),)
    assert result.scores.keys() == RunFolder(finished_run.folder).result.metrics.keys()


def test_the_configuration_repeats_the_call_and_the_command(result, finished_run, tmp_path):
    for number, folder in enumerate((result.folder, finished_run.folder)):
        out = tmp_path / str(number)
        again = atelier.stylize(config=folder / "config.yaml", out=out)
        assert same(again.folder, folder, Path.read_bytes)


def test_a_result_has_the_pictures_of_its_folder(result):
    assert (result.picture.size, result.picture.mode) == ((96, 64), "RGB")
    assert (result.mask.size, result.mask.mode) == ((96, 64), "L")
    assert result.full.size == (451, 300)
    assert result.enhanced.size == (96, 64)
    assert result.frames == []
    assert result._repr_png_() == (result.folder / OUTPUT).read_bytes()
    assert result.record.mask_confidence["cat"] > 0.4
    assert not (result.folder / "wandb").exists()


def test_a_call_leaves_the_callers_process_as_it_was(mask, tmp_path):
    def state():
        return (
            {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"},
            [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
            [random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()],
            list(warnings.filters),
            [logging.getLogger(n).level for n in ("lightning.pytorch", "lightning.fabric")],
            [logging.getLogger(n).handlers for n in ("datamodules", "lightning_modules")],
            torch.get_num_threads(),
        )

    before = state()
    answer = atelier.stylize(CAT, style="fire", mask=mask, out=tmp_path / "run", **QUICK)
    assert answer.folder.is_dir()
    assert state() == before


def test_a_call_may_come_from_another_thread(mask, tmp_path):
    results = []
    work = lambda: results.append(  # noqa: E731
        atelier.stylize(CAT, style="fire", mask=mask, out=tmp_path / "run", **QUICK)
    )
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results[0].picture.size == (64, 43)


def test_masks_may_be_arrays_and_targets_those_of_parse(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = atelier.stylize(
        Image.fromarray(CAT),
        targets=[atelier.StyleTarget("cat", "fire"), {"object": "background", "style": "snow"}],
        mask=DISC,
        **QUICK,
    )
    assert (answer.record.method, answer.record.segmenter) == ("Fusion", "")
    assert [target.style for target in answer.targets] == ["fire", "snow"]
    assert answer.folder.parent.name == "runs"
    assert len(list((tmp_path / "runs" / "inputs").iterdir())) == 2


def test_what_may_be_wrong_reaches_the_caller_each_time(mask, tmp_path):
    sentence = "qwertz"
    for number in range(2):
        with pytest.warns(atelier.AtelierWarning, match=sentence) as messages:
            answer = atelier.stylize(
                CAT, style="qwertz", mask=np.ones((300, 451), bool), out=tmp_path / str(number),
                **QUICK,
            )  # fmt: skip
        assert {w.filename for w in messages} == {__file__}
        assert [str(w.message) for w in messages] == list(answer.warnings)
    assert any("covers nearly everything" in text for text in answer.warnings)
    assert answer.record.style_note


@pytest.mark.parametrize(
    ("picture", "options", "sentence"),
    [
        (None, {}, "There is no picture"),
        ("nowhere.png", {}, "no picture at .*nowhere.png"),
        (CAT.astype(int), {}, "values of the type int64; give"),
        (CAT.astype(float), {}, "values from 0 to 231; give"),
        (CAT / 255 - 1, {}, "values from -1 to"),
        (np.full((64, 64), np.nan), {}, "values from nan"),
        (CAT.transpose(2, 0, 1), {}, r"the shape \(3, 300, 451\); give"),
        (CAT[None], {}, r"the shape \(1, 300, 451, 3\)"),
        (CAT[:0], {}, r"the shape \(0, 451, 3\)"),
        (CAT[:20, :20], {}, "too small"),
        (torch.rand(3, 64, 64), {}, "of the type Tensor; give"),
        (CAT, {"mask": DISC[:, :200]}, "proportions"),
        (CAT, {"mask": ~np.ones_like(DISC)}, "is empty"),
        (CAT, {"steps": 0}, "optimise nothing"),
        (CAT, {"settings": {"model.tua": 0.5}}, "tua"),
        (CAT, {"frames": 3}, "--frames goes with --to"),
        (CAT, {"base_url": "http://u"}, "--base-url goes with"),
        (CAT, {"config": "x.yaml", "models": "fast"}, "--models goes with --method"),
        (CAT, {"onnx": "x.onnx"}, "leave everything out"),
        (CAT, {"method": "soulstiler"}, "There is no method"),
    ],
)
def test_a_wrong_request_is_one_sentence(tmp_path, monkeypatch, picture, options, sentence):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(atelier.AtelierError, match=sentence) as refusal:
        atelier.stylize(picture, **{"style": "fire", "mask": DISC, **options})
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I", "F", "CMYK", "HSV"])
def test_a_picture_of_any_mode_is_read_as_its_file(mode, tmp_path):
    from datamodules.images import load_picture

    grey = Image.fromarray(np.tile(np.arange(64, dtype=np.uint8), (64, 1)) * 4)
    picture = {
        "P": lambda: grey.quantize(),
        "I": lambda: Image.fromarray(np.asarray(grey, dtype=np.int32) * 257),
        "F": lambda: Image.fromarray(np.asarray(grey, dtype=np.float32) / 255),
    }.get(mode, lambda: grey.convert("RGB").convert(mode))()
    assert picture.mode == mode
    read = np.asarray(load_picture(file_of(picture, tmp_path)), dtype=int)
    assert read.shape == (64, 64, 3)
    off = np.abs(read - np.asarray(grey, dtype=int)[..., None]).mean()
    assert off < (130 if mode == "1" else 6)  # a bilevel picture is dithered


def test_a_picture_that_the_camera_has_turned_is_upright(tmp_path):
    picture = Image.new("RGB", (64, 40))
    picture.getexif()[274] = 6
    with Image.open(file_of(picture, tmp_path)) as file:
        assert file.size == (40, 64)
    assert file_of(picture, tmp_path) == file_of(picture, tmp_path)


def test_a_progress_bar_in_a_notebook_asks_for_no_package(monkeypatch):
    """Without ipywidgets, in which it would move there."""
    from datamodules.support.progress import progress_bar

    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    with warnings.catch_warnings(), progress_bar("steps") as bar:
        warnings.simplefilter("error")
        bar.update(bar.add_task("", total=1), completed=1)
        bar.refresh()
