"""`atelier stylize`, from the instruction to the run folder."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from skimage import data

from tests.support import tiny
from tests.support.cli import assert_refused
from tests.support.endpoints import answer
from tests.support.finished import SETTINGS
from tests.support.run_files import RUN_FILES

FULL = "output_full.png"  # where the photo is larger than the working picture


CAT = ["--object", "cat", "--style", "fire"]
TWO = ["--target", "cat=fire", "--target", "dog=ice"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere.png", "Turn the cat to fire"], r"no picture at .*nowhere.png"),
        (["skimage:chelsea", "", "--object", "cat"], "There is no instruction"),
        (["skimage:chelsea", *CAT, "--model.tau", "high"], "tau"),
        (["skimage:chelsea", *CAT, "--model.tua", "0.5"], "tua"),
        (["skimage:chelsea", *CAT, "--steps", "0"], "optimise nothing"),
        (["skimage:chelsea", *CAT, "--device", "gpu"], "[Nn]o supported gpu"),
        (["skimage:chelsea", *CAT, "--model.coverage", "0"], r"coverage=0.0 must be in \(0, 1\]"),
        (["skimage:chelsea", *CAT, "--strength", "2"], "strength is 2"),
        (
            ["skimage:chelsea", *CAT, "--method", "clipstyler", "--background-style", "snow"],
            "CLIPstyler takes one style and none for the background",
        ),
        (
            ["skimage:chelsea", *TWO, "--method", "soulstyler"],
            "Soulstyler gives a style to one region, but 2 are asked for",
        ),
        (
            ["skimage:chelsea", *CAT, "--except", "tail", "--method", "clipstyler"],
            "'tail' is to stay as it is, but CLIPstyler changes the whole picture",
        ),
        (["skimage:chelsea", *TWO, "--method", "sem_cs"], "one object and its background"),
        (["skimage:chelsea", "--style", "fire", "--mask", "MASK", "--out", "file/run"], "--out"),
        (
            ["skimage:chelsea", "--style", "fire", "--mask", "MASK", "--model.memory", "0.1"],
            "GB of memory even in parts, .* free some, or raise --model.memory",
        ),
    ],
)
def test_stylize_refuses_before_it_computes(cli, tmp_path, mask, arguments, sentence):
    (tmp_path / "file").write_text("in the way")
    arguments = [mask if word == "MASK" else word for word in arguments]
    assert_refused(cli("stylize", *arguments, *SETTINGS), sentence)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_stylize_end_to_end(cli, finished_run, tmp_path):
    """Instruction to result.json with every real part, and the same again from its config.yaml."""
    first, outcome = finished_run
    assert outcome.returncode == 0, outcome.stderr
    assert "max error 0 of 255" in outcome.stdout
    assert "run/output.png" in outcome.stdout
    assert "mosaic" in outcome.stderr
    assert {path.name for path in first.iterdir()} == RUN_FILES | {FULL}
    check_full(first)
    result = json.loads((first / "result.json").read_text())
    assert (result["seed"], result["steps"]) == (3, 6)
    assert (result["generator"], result["style_note"]) == ("Painter", "")
    assert result["segmenter"] == "BridgeSegmenter"
    line = r"\nmask     by BridgeSegmenter, covers [\d.]+% of the picture, confidence 0\.\d\d\n"
    assert re.search(line, outcome.stderr)
    assert 0.4 < result["mask_confidence"]["cat"] <= 1
    assert result["metrics"]["background_max_error"] == 0
    assert {"parse", "mask", "optimise", "score"} <= result["seconds"].keys()
    target = {"object": "cat", "style": "mosaic"}
    assert json.loads((first / "parse.json").read_text()) == [target]
    rows = (first / "losses.csv").read_text().splitlines()
    assert rows[0] == "step,total,global,patch,background,content,tv"
    assert len(rows) == 7

    again = cli("stylize", "--config", first / "config.yaml", "--out", "second")
    assert again.returncode == 0, again.stderr
    for name in ("output.png", FULL, "mask.png", "losses.csv"):
        assert (first / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name

    config = (first / "config.yaml", "--out", first)
    assert_refused(cli("stylize", "--config", *config), "already holds a finished run")


def check_full(folder):
    """The photo at its own size, its object painted and its background as it was."""
    photo, full = data.chelsea().astype(float), np.asarray(Image.open(folder / FULL), float)
    assert full.shape == photo.shape
    mask = Image.open(folder / "mask.png").convert("L").resize(photo.shape[1::-1])
    cat, behind = np.asarray(mask) > 250, np.asarray(mask) == 0
    assert np.abs(full - photo)[cat].mean() > 20
    assert (full == photo).all(-1)[behind].mean() > 0.8  # what is left is the soft edge


def test_several_styles_choose_fusion_and_leave_a_mask_each(cli, tmp_path, mask, serve):
    settings = ["--steps", 2, "--out", "run", *SETTINGS, *tiny.OPTIONS]
    sentence = "Turn the cat to fire and the background to 0.5*snow + 0.5*ice"
    endpoint = serve(answer(("cat", "fire"), ("background", "0.5*snow + 0.5*ice")))
    parser = ["--parser", "api:m", "--base-url", endpoint.url]
    outcome = cli("stylize", "skimage:chelsea", sentence, *parser, "--mask", mask, *settings)
    assert outcome.returncode == 0, outcome.stderr
    assert len(endpoint.requests) == 1  # the answer that chose the method is the run's
    assert "method   Fusion, because several styles are asked for\n" in outcome.stderr
    assert "0.5*snow + 0.5*ice" in outcome.stderr
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == RUN_FILES | {FULL, "mask-1.png", "mask-2.png"}
    masks = [np.asarray(Image.open(tmp_path / "run" / f"mask-{k}.png"), int) for k in (1, 2)]
    assert abs(sum(masks) - 255).max() <= 1
    styles = [target["style"] for target in json.loads((tmp_path / "run/parse.json").read_text())]
    assert styles == ["fire", "snow", "ice"]
    one = [*CAT, "--mask", mask, "--overwrite", "--full-size", 0]
    outcome = cli("stylize", "skimage:chelsea", *one, *settings)
    assert {path.name for path in (tmp_path / "run").iterdir()} == RUN_FILES, outcome.stderr


def test_what_is_excepted_stays_to_the_last_bit(cli, finished_run, tmp_path):
    """The mask of the cat is that of a run that painted it, from the memory of this process."""
    run, _ = finished_run
    options = ["--object", "", "--except", "cat", "--style", "fire", "--steps", 2]
    outcome = cli("stylize", "skimage:chelsea", *options, "--out", "run", *SETTINGS)
    assert outcome.returncode == 0, outcome.stderr
    assert "object   everything except the cat\n" in outcome.stderr
    parsed = json.loads((tmp_path / "run" / "parse.json").read_text())
    assert parsed == [{"object": "", "style": "fire", "except": ["cat"]}]
    content, output = (
        np.asarray(Image.open(tmp_path / "run" / f"{name}.png")) for name in ("content", "output")
    )
    cat, changed = np.asarray(Image.open(run / "mask.png")) > 127, (content != output).any(-1)
    assert 0.3 < cat.mean() < 0.9
    assert not changed[cat].any()
    assert changed[~cat].mean() > 0.6
    full, photo = np.asarray(Image.open(tmp_path / "run" / FULL)), data.chelsea()
    assert (full == photo).all(-1)[150:200, 150:250].all() and (full != photo).any(-1).mean() > 0.1
