"""Runs of networks in one pass: the options of all methods, and what such a run leaves out."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.support.cli import assert_refused
from tests.support.decoders import learning

FIRE = ["skimage:chelsea", "--method", "clipstyler_fast", "--object", "cat", "--style", "fire"]
SMALL = ["--size", 96, "--no-wandb"]


@pytest.fixture(scope="module")
def decoders(tmp_path_factory):
    """The option that names a folder with decoders of two texts."""
    folder = tmp_path_factory.mktemp("decoders")
    for text in ("fire", "mosaic"):
        learning(text).save(folder / f"{text}.safetensors", {})
    return "--model.generator.decoders", folder


@pytest.fixture
def no_losses(monkeypatch):
    """Networks of losses that must not be built."""

    def build():
        raise AssertionError("content features are of no use here")

    with monkeypatch.context() as patched:
        patched.setattr("datamodules.models.embedded_networks.efficientnet_lite0", build)
        yield patched


def pixels(path):
    return np.asarray(Image.open(path), int)


def test_regions_and_blends_are_painted_without_any_network_of_losses(
    cli, mask, decoders, tmp_path, no_losses
):
    words = ["skimage:chelsea", "--method", "clipstyler_fast", *SMALL, *decoders, "--mask", mask]
    blend = ["--target", "cat=0.5*fire + 0.5*mosaic", "--target", "background=mosaic"]
    result = cli("stylize", *words, *blend, "--full-size", 128, "--keep-color", "--out", "run")
    assert result.returncode == 0, result.stderr
    assert "none: painted in one pass" in result.stdout
    assert "optimised" not in result.stdout
    assert "optimise " not in result.stdout
    run = tmp_path / "run"
    assert not (run / "losses.csv").exists()
    assert Image.open(run / "output_full.png").width == 128
    assert json.loads((run / "result.json").read_text())["steps"] == 0
    content, output = pixels(run / "content.png"), pixels(run / "output.png")
    inside = pixels(run / "mask-1.png") > 250
    for region in (inside, pixels(run / "mask-2.png") > 250):
        assert abs(output - content)[region].mean() > 5

    no_losses.undo()  # steps need them: the configuration has them still
    again = ["--config", run / "config.yaml", "--steps", 2, "--full-size", 0, "--out", "steps"]
    result = cli("stylize", *again)
    assert result.returncode == 0, result.stderr
    assert "bridge-lite0, which was" in result.stdout
    assert len((tmp_path / "steps" / "losses.csv").read_text().splitlines()) == 3
    assert (pixels(tmp_path / "steps" / "output.png") != output).any()


def test_what_lies_outside_of_the_mask_or_is_excepted_stays_to_the_last_bit(
    cli, mask, decoders, tmp_path
):
    words = [*FIRE, *SMALL, *decoders, "--full-size", 0, "--out", "run", "--mask", mask]
    result = cli("stylize", *words, "--strength", 0.5)
    assert result.returncode == 0, result.stderr
    run = tmp_path / "run"
    outside = pixels(run / "mask.png") == 0
    assert (pixels(run / "output.png") == pixels(run / "content.png"))[outside].all()
    half = abs(pixels(run / "output.png") - pixels(run / "content.png"))[~outside].mean()
    result = cli("stylize", *words, "--overwrite")
    assert result.returncode == 0, result.stderr
    whole = abs(pixels(run / "output.png") - pixels(run / "content.png"))[~outside].mean()
    assert half == pytest.approx(whole / 2, rel=0.05)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--style", "snow"], "has learned 'snow'; there are 'fire', 'mosaic'; train it: atelier"),
        (["--target", "cat=fire", "--target", "background=snow"], "has learned 'snow'"),
        (["--style-image", "skimage:coffee"], "takes its style from a text, not from a picture"),
        (["--steps", -1], "-1 steps optimise nothing"),
    ],
)
def test_what_a_decoder_cannot_paint_is_refused_before_any_mask_is_made(
    cli, decoders, tmp_path, words, sentence, monkeypatch
):
    def segment(self, content, phrase):
        raise AssertionError("too late")

    monkeypatch.setattr("datamodules.segmentation.bridge.BridgeSegmenter.segment", segment)
    fire = FIRE[:3] if "--target" in words else FIRE
    assert_refused(cli("stylize", *fire, *SMALL, *decoders, *words), sentence)
    assert not list(tmp_path.iterdir())


def test_a_profile_of_a_run_without_steps_is_refused(cli):
    refused = cli("profile", "--method", "clipstyler_fast")
    assert_refused(refused, "clipstyler_fast paints in one pass and has no steps to measure")


@pytest.mark.parametrize("method", ["clipstyler_fast", "fast_clipstyler"])
@pytest.mark.parametrize("models", ["paper", "siglip", "reference"])
def test_published_networks_that_are_missing_are_said_in_one_sentence(
    cli, no_network, method, models
):
    words = ["stylize", *FIRE[:2], method, *FIRE[3:], "--models", models]
    assert_refused(cli(*words), "atelier weights (path|fetch) ")


def test_runs_without_steps_are_made_jointly_as_alone(cli, mask, decoders, tmp_path):
    from experiments.run.configuration import compose
    from experiments.run.lightning_cli import AtelierCLI, run_together

    fixed = {"data.image": "skimage:chelsea", "data.mask": [str(mask)], "data.object": "cat"}
    fixed |= {"data.size": 64, "data.full_size": 0, "wandb.enabled": False}
    fixed |= {"model.generator.decoders": str(decoders[1])}
    clis = [
        AtelierCLI.from_settings(
            compose("clipstyler_fast"),
            {**fixed, "data.style": style, "run.out": str(tmp_path / style)},
            started=0.0,
        )
        for style in ("fire", "mosaic")
    ]
    run_together(runs := [(one, one.set_up()) for one in clis])
    for one, run in runs:
        one.conclude(run)
    alone = cli("stylize", "--config", tmp_path / "fire" / "config.yaml", "--out", "alone")
    assert alone.returncode == 0, alone.stderr
    names = "fire", "alone", "mosaic"
    outputs = [(tmp_path / name / "output.png").read_bytes() for name in names]
    assert outputs[0] == outputs[1] != outputs[2]
    assert not list(tmp_path.rglob("losses.csv"))
