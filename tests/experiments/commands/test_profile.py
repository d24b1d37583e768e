"""`atelier profile`; never how long anything takes."""

import json
import profile

import pytest
import torch

from experiments.cli import main
from experiments.profiling.stopwatch import STAGES, StepObserver, Stopwatch
from experiments.run.configuration import compose
from tests.support import tiny
from tests.support.cli import ROOT
from tests.support.profiles import WEIGHTS, clipstyler

METHODS = sorted((ROOT / "configs" / "methods").glob("*.yaml"))


SMALL = ["--size", "96", "--steps", "2", "--patches", "3"]
# Of two sizes, neither of them the encoder's.
TWO_SIZES = ["--size", "128", "--steps", "1", "--patches", "4", "--model.brush", "[0.5, 0.75]"]


def test_the_methods_own_code_is_measured_and_gives_the_same_losses(clipstyler_batch):
    losses = []
    for observe in (False, True):
        method, watch = clipstyler(), Stopwatch(torch.device("cpu"))
        if observe:
            method.observer = StepObserver(watch)
        method.prepare(clipstyler_batch)
        watch.begin()
        losses.append(
            {k: float(loss.detach()) for k, loss in method.step(clipstyler_batch).items()}
        )
        seconds = watch.end()
        observed = {stage for stage, value in seconds.items() if value > 0} - {"rest"}
        parts = {"generator", "content_features", "patches", "encoder"}
        assert observed == (parts if observe else set())
    assert losses[0] == losses[1]


def result(capsys, *arguments):
    assert main(["profile", "--json", "--device", "cpu", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_json_says_what_was_measured(capsys):
    stylenet = ["--model.generator", "stylenet"]
    figures = result(capsys, *TWO_SIZES, *tiny.OPTIONS, "--against", "naive", *stylenet)
    assert (figures["method"], figures["generator"]) == ("CLIPstyler", "StyleNet")
    assert (figures["size"], figures["patches"], figures["patch_sizes"]) == (128, 4, [64, 96])
    assert figures["untrained"] is False
    assert list(figures["stages"]) == list(STAGES)
    assert all(seconds > 0 for seconds in figures["stages"].values())
    assert figures["seconds"] == pytest.approx(sum(figures["stages"].values()))  # of one step
    assert figures["steps_per_second"] * figures["seconds"] == pytest.approx(1)
    rate = figures["matrix_rates"]["float32"]
    reached = figures["flops"] / figures["seconds"] / rate
    assert figures["shares"] == {"float32": pytest.approx(reached)}
    assert figures["ratio"] == figures["naive"]["seconds"] / figures["seconds"]
    assert figures["naive"]["flops"] > figures["flops"] > 0
    assert figures["naive"]["peak_bytes"] > 0
    assert max(figures["loss_differences"].values()) < 1e-4
    assert figures["loss_differences"].keys() == WEIGHTS.keys()


def test_accepting_none_leaves_no_patch_loss(capsys):
    none = ["--against", "naive", "--accept", "0"]
    figures = result(capsys, *TWO_SIZES, *tiny.OPTIONS, *none)
    assert [losses["patch"] for losses in figures["first_losses"].values()] == [0, 0]
    assert figures["loss_differences"]["patch"] == 0


STEPPING = [path.stem for path in METHODS if compose(path.stem)["trainer"]["max_steps"]]


@pytest.mark.parametrize("method", [method for method in STEPPING if method != "clipstyler"])
def test_every_method_is_measured(capsys, method):
    words = ["--size", "96", "--steps", "1"] if method == "gatys" else [*SMALL, *tiny.OPTIONS]
    figures = result(capsys, "--method", method, *words)
    assert "ratio" not in figures
    assert figures["flops"] > 0
    assert (figures["stages"]["patches"] > 0) == (method != "gatys")


def test_the_page_names_stages_and_ratio(capsys):
    words = ["--device", "cpu", *SMALL, *tiny.OPTIONS, "--against", "naive"]
    assert main(["profile", *words]) == 0
    page = capsys.readouterr().out
    for words in ("Painter", "content features", "steps per second", "matrix rate", "ratio"):
        assert words in page


@pytest.mark.slow
def test_the_papers_networks_are_built_untrained_where_missing(capsys, no_network):
    figures = result(capsys, "--models", "siglip", "--size", "64", "--patches", "1", "--steps", "1")
    assert figures["untrained"] is True
    assert figures["encoder"] == "ViT-B-16-SigLIP-untrained"
    assert (figures["generator"], figures["content_features"]) == ("StyleNet", "vgg19")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--accept", "2"], "--accept 2 in [0, 1]"),
        (["--steps", "0"], "--steps 0 must be 1 or more"),
        (["--warmup", "1"], "--warmup 1 2 or more"),
        (["--against", "naive", "--method", "soulstyler"], "cannot be compared with soulstyler"),
        (["--method", "clipstiler"], "did you mean clipstyler"),
        (["--models", "papers"], "did you mean paper"),
        (["--against", "fast"], "invalid choice: 'fast'"),
        (["--size", "8"], "Size 8 is too small"),
        (["--model.tau", "high"], "tau"),
        (["--loud"], "--loud"),
    ],
)
def test_bad_input_is_said_in_one_line(capsys, arguments, sentence):
    assert main(["profile", "--device", "cpu", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err.splitlines()[-1]


def test_the_standard_librarys_profile_is_not_shadowed():
    assert "experiments" not in profile.__file__


def test_the_page_of_help_lists_the_options(cli):
    page = cli("profile", "--help")
    assert all(f"--{word}" in page.stdout for word in ("against", "accept", "random-weights"))
