"""Frames from one style to another, by a painter whose codes mean nothing."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.interpolation import Interpolation
from datamodules.run_folder import MOVING, STRIP, RunWriter
from datamodules.task import StyleTarget, StyleTask
from experiments.run.frames import Frames
from lightning_modules.fusion import Fusion
from lightning_modules.generators.fast_painter import FastPainter
from lightning_modules.steps.blending import Blending
from tests.support.cli import assert_refused
from tests.support.methods import build
from tests.support.pictures import pixels
from tests.support.tiny import DIMENSIONS, TinyEncoder, TinyFeatures

TARGETS = (StyleTarget("cat", "fire"), StyleTarget("dog", "snow"))


@pytest.fixture(scope="module")
def painter():
    generator = FastPainter(TinyEncoder(), width=DIMENSIONS, weights="untrained")
    for weights in generator.network.parameters():
        weights.data *= 3  # codes far apart
    blending = Blending(composite=True, keep_color=True)
    return build(Fusion, TinyEncoder(), TinyFeatures(), generator=generator, blending=blending)


@pytest.fixture(scope="module")
def task(content, left):
    """A cat, a dog, and a transparent strip of background between them."""
    masks = torch.stack([left, left.flip(1)])
    masks[..., 40:56], alpha = 0, torch.ones_like(left)
    alpha[:, 46:50] = 0.5
    return StyleTask.of(content, TARGETS, masks, alpha=alpha)


def written(folder, name):
    return np.asarray(Image.open(folder / name), float)


def test_the_frames_at_both_ends_are_the_single_runs_to_the_last_bit(painter, task, tmp_path):
    settings = Interpolation("cat=ice", frames=4)
    end = settings.ends(task.targets)
    painter.generator.start(task.batch())
    Frames(task, end, settings.shares())(painter, writer := RunWriter(tmp_path))
    last = (StyleTarget("cat", "ice"), TARGETS[1])
    for number, targets in ((0, TARGETS), (3, last)):
        alone = StyleTask.of(task.content, targets, task.masks, alpha=task.alpha)
        painter.generator.start(alone.batch())
        writer.write_image("alone.png", painter.stylize(alone.batch())[0], task.alpha)
        frame = tmp_path / f"frames/{number:03}.png"
        assert frame.read_bytes() == (tmp_path / "alone.png").read_bytes()
    frames = [written(tmp_path, f"frames/{number:03}.png") for number in range(4)]
    steps = [abs(one - other).sum() for one, other in pairwise(frames)]
    assert min(steps) > 0.1 * sum(steps)
    writer.write_image("photo.png", task.content, task.alpha)
    for frame in frames:
        assert (frame[..., 40:56, :] == written(tmp_path, "photo.png")[..., 40:56, :]).all()
        assert (frame[:, 56:] == frames[0][:, 56:]).all(), "the dog stays as it is"


def test_the_strip_shows_all_frames_and_the_gif_goes_there_and_back(painter, task, tmp_path):
    settings = Interpolation("ice", frames=3)
    painter.generator.start(task.batch())
    before = painter.stylize(task.batch())
    Frames(task, settings.ends(TARGETS), settings.shares())(painter, RunWriter(tmp_path))
    assert torch.equal(painter.stylize(task.batch()), before), "the module keeps its styles"
    assert written(tmp_path, STRIP).shape[1] > 3 * 96
    with Image.open(tmp_path / MOVING) as moving:
        assert (moving.n_frames, moving.size) == (4, (96, 64))


def test_a_remark_on_a_text_is_made_once_whatever_the_number_of_frames(painter, caplog):
    for note in ("no style like 'fire'", "no style like 'ice'") * 3:
        painter.generator.remark(note)
    assert caplog.messages == ["no style like 'fire'", "no style like 'ice'"]
    assert painter.generator.note == ". ".join(caplog.messages)


def test_frames_at_full_size_are_painted_where_they_are_requested(painter, task, tmp_path):
    double = torch.nn.functional.interpolate(task.content[None], scale_factor=2)[0]
    masks = torch.nn.functional.interpolate(task.masks[None], scale_factor=2)[0]
    full = StyleTask.of(double, TARGETS, masks)
    settings = Interpolation("ice", frames=2)
    Frames(task, settings.ends(TARGETS), settings.shares(), full)(painter, RunWriter(tmp_path))
    assert written(tmp_path, "frames/001_full.png").shape == (128, 192, 3)


FAST = ["skimage:chelsea", "--object", "cat", "--style", "fire", "--method", "fast_clipstyler"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            [*FAST[:-1], "soulstyler", "--to", "ice"],
            "Soulstyler with Painter has nothing",
        ),
        ([*FAST, "--to", "ice", "--steps", 5], "leave --steps out"),
        ([*FAST, "--to", "dog=ice"], "--to names 'dog', and the run has cat"),
        ([*FAST, "--frames", 5], "--frames goes with --to"),
        ([*FAST, "--to", "ice", "--full-frames", "--full-size", 0], "give --full-size"),
        ([*FAST, "--to", "ice", "--frames", 1], "--frames is 1"),
        ([*FAST, "--to", "🔥"], "cannot read the style"),
    ],
)
def test_an_interpolation_that_cannot_be_is_refused(cli, mask, words, sentence):
    assert_refused(cli("stylize", *words, "--mask", mask, "--size", 64, "--no-wandb"), sentence)


def test_a_run_with_frames_is_made_again_from_its_configuration(cli, mask, tmp_path):
    options = ["--mask", mask, "--size", 64, "--full-size", 0, "--no-wandb", "--out", "first"]
    result = cli("stylize", *FAST, "--to", "ice", "--frames", 3, *options)
    assert result.returncode == 0, result.stderr
    assert "strip     first/strip.png\n" in result.stdout
    first, second = tmp_path / "first", tmp_path / "second"
    again = cli("stylize", "--config", first / "config.yaml", "--out", second)
    assert again.returncode == 0, again.stderr
    names = ["output.png", STRIP, MOVING, *(f"frames/{number:03}.png" for number in range(3))]
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    assert pixels(first / "output.png") == pixels(first / "frames/000.png")
    assert json.loads((first / "result.json").read_text())["seconds"]["frames"] > 0
