"""Help and refusals, which all commands have in common."""

import pytest
import yaml

from tests.support.cli import ROOT, assert_refused, process


def test_help_is_a_page_for_people(cli, tmp_path):
    page = cli("--help")
    assert page.returncode == 0
    assert all(name in page.stdout for name in ("stylize", "parse", "mask", "fit", "example:"))
    page = cli("stylize", "--help")
    assert "Give an object in a picture the style" in page.stdout
    assert all(f"--{option}" in page.stdout for option in ("object", "mask", "size", "seed"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["stylize", "skimage:rocket", "x", "--method", "soulstiler"], "did you mean soulstyler"),
        (["stylize"], "There is no picture"),
        (["stylize", "skimage:rocket", "--target", "fire"], 'write it as "boat=fire"'),
        (["stylize", "skimage:rocket", *["--target", "a=b"] * 2], "names 'a' twice; blend"),
        (["stylize", "skimage:rocket", "--style-image", "x.png"], "no picture at .*x.png"),
        (["stylize", "skimage:rocket", "--method", "gatys"], "no instruction.* --style-image"),
        (["stylize", "skimage:rocket", "--mode", "papr"], "invalid choice: 'papr'"),
        (["compare", "skimage:rocket", "x", "--methods", "semcs"], "did you mean sem_cs"),
        (["compare", "skimage:rocket", "x", "--methods", ","], "--methods names none"),
        (["compare", "skimage:rocket"], "There is no instruction"),
        (
            ["compare", "skimage:rocket", "--target", "a=b", "--target", "c=d"],
            "CLIPstyler gives a style to one region, but 2 are asked for",
        ),
        (["stylize", "skimage:rocket", "x", "--size", "big"], "invalid int .*--help"),
        (["paint", "skimage:rocket"], "invalid choice"),
        (["stylize", "--model.tau", "0.5", "nowhere.png", "x"], "no picture at .*nowhere.png"),
        (["stylize", "skimage:rocket", "--steps", "9", "a", "b"], "unrecognized|takes no word"),
        (["stylize", "--config", "nowhere.yaml"], "no configuration at nowhere.yaml"),
        (["parse", ""], "instruction is empty"),
        (["parse", "word " * 2000], "has 2000 words"),
        (["mask", "nowhere.png", "cat"], "no picture at nowhere.png"),
        (["mask", "skimage:rocket", ""], "No object is named"),
        (["parse", "x", "--loud"], "has no option --loud; see atelier parse --help"),
        (["weights", "fetch", "--mehtod", "sem_cs"], "did you mean --method"),
    ],
)
def test_bad_input_is_said_in_one_line(cli, tmp_path, arguments, sentence):
    assert_refused(cli(*arguments), sentence)
    assert list(tmp_path.iterdir()) == []


PICTURE = ["skimage:rocket", "Turn the rocket to fire"]


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (["stylise", *PICTURE], "stylize"),
        (["stylize", *PICTURE, "--stlye", "fire"], "--style"),
        (["stylize", *PICTURE, "--sty", "fire"], "--style"),
        (["stylize", *PICTURE, "--device", "gppu"], "gpu"),
        (["stylize", *PICTURE, "--modle.tau", "0.5"], "model"),
        (["stylize", *PICTURE, "--model.tua", "0.5"], "model.tau"),
        (["stylize", *PICTURE, "--model.blending.strenght", "1"], "model.blending.strength"),
        (["stylize", *PICTURE, "--trainer.max_stesp", "1"], "trainer.max_steps"),
        (["stylize", *PICTURE, "--data.parser.modle", "1"], "data.parser.model"),
        (["stylize", *PICTURE, "--data.segmenter.presense", "1"], "data.segmenter.presence"),
        (["stylize", *PICTURE, "--method", "soulstylr"], "soulstyler"),
        (["stylize", *PICTURE, "--models", "embeded"], "embedded"),
        (["stylize", *PICTURE, "--parser", "smolm2"], "smollm2"),
        (["stylize", *PICTURE, "--segmenter", "brigde"], "bridge"),
        (["stylize", "--config", "own.yaml"], "model.brush"),
        (["compare", *PICTURE, "--segmenter", "brigde"], "bridge"),
        (["compare", *PICTURE, "--model.brsh", "0.5"], "model.brush"),
        (["mask", "skimage:rocket", "rocket", "--segmenter", "brigde"], "bridge"),
        (["parse", "x", "--parser", "smolm2"], "smollm2"),
        (["bench", "demo", "--methods", "semcs"], "sem_cs"),
        (["sweep", "thresold"], "threshold"),
        (["sweep", "threshold", "--model.tua", "1", "--dry-run"], "model.tau"),
        (["sweep", "threshold", "--metrics", "leakge,qualty", "--dry-run"], ""),
        (["evaluate", ".", "--metrics", "qualty"], "quality"),
        (["weights", "lst"], "list"),
        (["fit", "--modle", "x"], "--model"),
        (["fit", "--config", "own.yaml", "--data.imgae", "x"], "model.brush"),
        (["fit", "--data.imgae", "x"], "data.image"),
    ],
)
def test_a_slip_of_the_pen_is_answered_before_anything_slow_is_imported(
    tmp_path, arguments, nearest
):
    own = {"class_path": "lightning_modules.gatys.Gatys", "init_args": {"bruhs": 0.5}}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump({"model": own}))
    result = process(*arguments, cwd=tmp_path, PYTHONPATH=f"{without_torch(tmp_path)}:{ROOT}")
    assert_refused(
        result, rf"did you mean {nearest}\?" if nearest else "There is no metric 'leakge'"
    )


def without_torch(folder):
    """A folder of modules in place of the slow ones, which cannot be imported."""
    (folder / "modules").mkdir()
    for name in ("torch", "transformers"):  # lightning needs torch
        (folder / "modules" / f"{name}.py").write_text("raise AssertionError('slow')")
    return folder / "modules"
