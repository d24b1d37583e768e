"""`atelier compare`."""

import json

import numpy as np
import torch
from PIL import Image

from datamodules.segmentation.base import Segmenter
from datamodules.task import StyleTarget
from experiments.campaigns.comparison import write_masks
from tests.support import tiny


def test_compare_shows_every_method_and_does_nothing_twice(cli, tmp_path, mask):
    target = ["skimage:chelsea", "--target", "cat=fire", "--mask", mask, "--out", "out"]
    settings = ["--steps", 2, "--size", 96, "--model.patches.count", 4, "--no-wandb", *tiny.OPTIONS]
    methods = ["clipstyler", "soulstyler"]
    result = cli("compare", *target, *settings, "--methods", methods[0])
    assert result.returncode == 0, result.stderr
    assert result.stdout == "out/compare.png\n"
    (first,) = (tmp_path / "out/runs").glob("*/result.json")
    written_at = first.stat().st_mtime_ns
    result = cli("compare", *target, *settings, "--methods", ",".join(methods))
    assert result.returncode == 0, result.stderr
    assert first.stat().st_mtime_ns == written_at
    scores = json.loads((tmp_path / "out/compare.json").read_text())
    assert list(scores) == methods
    assert tmp_path / "out" / scores["clipstyler"]["run"] == first.parent
    assert scores["soulstyler"]["rest_change"] < scores["clipstyler"]["rest_change"]
    assert scores["soulstyler"]["object_change"] > 0
    sheet = Image.open(tmp_path / "out/compare.png")
    assert sheet.width >= 2 * 96
    assert sheet.height >= 2 * 64
    broken = ["--model.optimizer.lr", "1e30", "--methods", methods[0]]
    failed = cli("compare", *target, *settings, *broken)
    assert failed.returncode == 2
    assert "not finite" in failed.stderr
    assert json.loads((tmp_path / "out/compare.json").read_text()) == scores
    again = cli("compare", *target, *settings, "--methods", methods[0], "--overwrite")
    assert again.returncode == 0, again.stderr
    assert first.stat().st_mtime_ns > written_at


def test_compare_takes_the_parser_and_the_segmenter_that_stylize_takes(cli, tmp_path):
    words = ["compare", "skimage:chelsea", "Turn the cat to fire", "--methods", "clipstyler"]
    words += ["--parser", "rules", "--steps", 1, "--size", 64, "--model.patches.count", 4]
    words += ["--out", "out", "--no-wandb", *tiny.OPTIONS, "--segmenter"]
    box = {"left": 0, "top": 0, "right": 0.5, "bottom": 1}
    settings = [word for pair in box.items() for word in (f"--data.segmenter.{pair[0]}", pair[1])]
    result = cli(*words, "box", *settings)
    assert result.returncode == 0, result.stderr
    (mask,) = (tmp_path / "out").glob("mask-cat-*.png")
    half = np.asarray(Image.open(mask)) > 127
    assert half[:, : half.shape[1] // 2 - 1].all() and not half[:, half.shape[1] // 2 + 1 :].any()
    result = cli(*words, "whole")
    assert result.returncode == 0, result.stderr
    assert len(list((tmp_path / "out").glob("mask-cat-*.png"))) == 2


def test_an_object_is_looked_for_once_per_process(tmp_path):
    class Counting(Segmenter):
        calls = 0

        def segment(self, content, phrase):
            Counting.calls += 1
            return torch.ones(content.shape[1:])

    for place in (tmp_path / "a", tmp_path / "b"):
        place.mkdir()
        write_masks("skimage:chelsea", [StyleTarget("cat", "fire")], Counting(), "own", place)
    assert Counting.calls == 1
