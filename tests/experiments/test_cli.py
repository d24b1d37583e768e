"""Help and refusals, which all commands have in common."""

import pytest

from tests.support.cli import assert_refused


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
        (["parse", "x", "--loud"], "has no option --loud"),
    ],
)
def test_bad_input_is_said_in_one_line(cli, tmp_path, arguments, sentence):
    assert_refused(cli(*arguments), sentence)
    assert list(tmp_path.iterdir()) == []
