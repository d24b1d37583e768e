"""`--segmenter NAME` in every command that has it, with networks of `transformers` from folders."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from experiments.run.registry import SEGMENTERS

TINY = ["--size", 64, "--steps", 2, "--model.brush", "0.5", "--model.patches.count", 4]
COMMANDS = {
    "mask": ["skimage:rocket", "rocket"],
    "stylize": ["skimage:rocket", "Turn the rocket to fire"],
    "compare": ["skimage:rocket", "Turn the rocket to fire"],
    "bench": ["demo", "--dry-run"],
}


def sam3(folder) -> list:
    """Options for the small SAM 3, whose scores are near 0.1."""
    below = "--data.segmenter"
    return ["--segmenter", "sam3", f"{below}.model", folder, f"{below}.threshold", 0.1]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_segmenter_is_met_with_the_nearest(cli, command):
    result = cli(command, *COMMANDS[command], "--segmenter", "sam")
    assert result.returncode == 2
    assert "There is no segmenter 'sam'" in result.stderr
    assert result.stderr.splitlines()[-1].endswith("did you mean sam3?")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_lists_all_segmenters(cli, command):
    page = " ".join(cli(command, "--help").stdout.split())
    assert f"what finds the object: {', '.join(SEGMENTERS)}" in page


def test_a_mask_is_that_of_the_chosen_instance(cli, tmp_path, sam3_folder):
    masks = []
    for phrase in ("cat", "the largest cat"):
        result = cli("mask", "skimage:chelsea", phrase, "-o", "mask.png", *sam3(sam3_folder))
        assert result.returncode == 0, result.stderr
        mask = Image.open(tmp_path / "mask.png")
        assert (mask.mode, mask.size) == ("L", (451, 300))
        masks.append(np.asarray(mask) / 255)
    union, one = masks
    assert (one <= union).all()
    assert one.mean() < union.mean() - 0.01


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--data.segmenter.model", "no/such/folder"], "is no folder here"),
        (["--data.segmenter.threshold", "7"], "is no probability"),
    ],
)
def test_a_wrong_setting_of_a_segmenter_is_one_sentence(cli, words, sentence):
    result = cli("mask", "skimage:chelsea", "cat", "--segmenter", "sam3", *words)
    assert result.returncode == 2
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_choice_without_an_answer_is_one_sentence(cli, sam3_folder):
    result = cli("mask", "skimage:chelsea", "the ninth cat from the left", *sam3(sam3_folder))
    assert result.returncode == 2
    assert 'shows "cat"' in result.stderr.splitlines()[-1]


def test_the_segmenter_is_part_of_the_identity_of_a_benchmarks_runs(cli):
    def plan(*words) -> dict[str, str]:
        """The described runs of the demonstration by their identity."""
        result = cli("bench", "demo", "--dry-run", *TINY, *words)
        assert result.returncode == 0, result.stderr
        lines = (line.split(maxsplit=2) for line in result.stdout.splitlines())
        return {run: text for run, state, text in lines if state == "open"}

    plain, other = plan(), plan("--segmenter", "grounded", "--data.segmenter.threshold", "0.4")
    assert len(plain) == len(other) == 24
    finders = {run for run, text in other.items() if text.endswith("segmenter grounded")}
    assert {other[run].split(",")[0] for run in finders} == {
        "method soulstyler",
        "method generative_artisan",
    }
    assert set(other) - set(plain) == finders  # the others keep their own masks
    again = plan("--segmenter", "grounded")
    assert not finders & set(again)  # the threshold is part of the identity, too


def test_a_benchmark_names_the_weights_of_its_segmenter(cli):
    words = ["bench", "demo", "--dry-run", "--segmenter", "grounded"]
    result = cli(*words)
    for name in ("hf:IDEA-Research/grounding-dino-base", "hf:facebook/sam2.1-hiera-small"):
        assert f"needs {name}: " in result.stdout
    assert "of no use to clipstyler, sem_cs" in result.stderr
    result = cli(*words, "--methods", "clipstyler")
    assert result.returncode == 2
    assert "--segmenter is of no use to clipstyler, which look" in result.stderr


def test_the_list_of_weights_says_that_sam_3_is_gated(cli):
    (line,) = (row for row in cli("weights", "list").stdout.splitlines() if "facebook/sam3" in row)
    assert "SAM License (gated)" in line
