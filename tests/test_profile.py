"""What `atelier profile` counts and compares; never how long anything takes."""

import itertools
import json
import profile
from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import nn

from datamodules.images import load_picture, to_tensor
from datamodules.support.errors import AtelierError
from datamodules.task import StyleTarget, StyleTask
from experiments.cli import main
from experiments.profiling import stopwatch
from experiments.profiling.counters import operations
from experiments.profiling.meter import Meter, accepting, rejecting
from experiments.profiling.published_loop import PublishedLoop, places_of
from experiments.profiling.stopwatch import STAGES, StepObserver, Stopwatch
from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.generators.stylenet import StyleNet
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures
from lightning_modules.perceptual.vgg import VGGFeatures
from lightning_modules.steps.blending import Blending
from lightning_modules.steps.patches import Patches, random_corners
from tests.support.cli import ROOT
from tests.support.methods import Bridge

METHODS = sorted((ROOT / "configs" / "methods").glob("*.yaml"))
WEIGHTS = {"global": 500.0, "patch": 9e3, "content": 5.0, "tv": 2e-3}
SMALL = ["--size", "96", "--steps", "2", "--patches", "3"]
# Of two sizes, neither of them the encoder's.
TWO_SIZES = ["--size", "128", "--steps", "1", "--patches", "4", "--model.brush", "[0.5, 0.75]"]


def clipstyler(features=EfficientNetFeatures, **settings):
    torch.manual_seed(0)
    return CLIPstyler(
        generator=StyleNet(width=4),
        encoder=Bridge(),
        content_features=features(),
        patches=Patches(count=6),
        brush=[0.5, 2 / 3, 0.75],
        **{"weights": WEIGHTS, **settings},
    )


@pytest.fixture
def batch():
    content = to_tensor(load_picture("skimage:chelsea").resize((96, 96)))
    target = StyleTarget("", "fire")
    return StyleTask.of(content, (target,), torch.ones(1, 96, 96)).batch()


def gradients(generator):
    return torch.cat([p.grad.flatten() for p in generator.parameters()])


@pytest.mark.parametrize("share", [None, 1.0, 0.5])
@pytest.mark.parametrize(
    ("features", "mode"), [(EfficientNetFeatures, "paper"), (VGGFeatures, "reference")]
)
def test_naive_computes_the_same_losses_and_gradients(batch, features, mode, share):
    # In float32 a pixel that differs by 1e-5 can be on the other side of a ReLU's corner.
    weights = {"weights": "untrained"} if features is VGGFeatures else {}
    method = clipstyler(lambda: features(**weights), mode=mode, tau=1.167)
    method = deepcopy(method).double()  # of networks that other tests share
    double = replace(batch, content=batch.content.double(), masks=batch.masks.double())
    published = PublishedLoop(method, double, share and accepting(share))
    if share:
        method.reject = rejecting(share)
    method.observer = observer = StepObserver(Stopwatch(torch.device("cpu")))
    method.prepare(double)
    observer.places.clear()
    ours = method.training_step(double, 0)
    ours.pop("loss").backward()
    assert len(observer.places) == 3
    theirs = published.step([p for cut in observer.places for p in places_of(*cut)])
    assert ours.keys() == theirs.keys()
    for name, loss in ours.items():
        assert loss.item() == pytest.approx(theirs[name].item(), rel=1e-6), name
    assert theirs["patch"] > 0
    expected = gradients(published.generator)
    difference = (gradients(method.generator) - expected).norm() / expected.norm()
    assert difference < 1e-3


def test_naive_moves_its_own_generator_and_leaves_ours(batch):
    method = clipstyler()
    before = [p.detach().clone() for p in method.generator.parameters()]
    published = PublishedLoop(method, batch)
    first, second = published.step(), published.step()
    assert first["content"] != second["content"]
    assert all(map(torch.equal, before, method.generator.parameters()))
    assert all(p.grad is None for p in method.parameters())
    assert any(p.grad is not None for p in published.encoder.parameters())


def test_naive_computes_vgg_to_its_end(batch):
    published = PublishedLoop(clipstyler(lambda: VGGFeatures(weights="untrained")), batch)
    assert sum(isinstance(layer, nn.Conv2d) for layer in published.features.layers) == 16
    assert isinstance(published.features.layers[-1], nn.MaxPool2d)


@pytest.mark.parametrize(
    "settings",
    [
        {"blending": Blending(composite=True)},
        {"blending": Blending(keep_color=True)},
        {"weights": WEIGHTS | {"x": 1.0}},
    ],
)
def test_naive_refuses_what_the_published_loop_has_not(batch, settings):
    with pytest.raises(AtelierError, match="published loop has"):
        PublishedLoop(clipstyler(**settings), batch)


def test_places_are_the_boxes_and_corners():
    torch.manual_seed(0)
    boxes, corners = torch.tensor([[3.0, 5, 40], [0, 0, 20]]), random_corners(2, 0.5)
    first, second = places_of(boxes, corners)
    assert (first.left, first.top, first.size, second.size) == (3, 5, 40, 20)
    assert torch.tensor(first.end) / 40 == pytest.approx(corners[0])
    assert second.start[2] == [20, 20]


@pytest.mark.parametrize(("share", "count"), [(1.0, 64), (0.4, 26), (0.01, 1), (0.0, 0)])
def test_accepted_are_the_patches_with_the_highest_losses(share, count):
    losses = torch.rand(64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    kept = rejecting(share)(losses, 0.7)
    assert (kept != 0).sum() == count
    assert torch.equal(
        kept.detach().sort().values[64 - count :], losses.sort().values[64 - count :]
    )


def test_stages_are_exclusive_and_sum_to_the_step(monkeypatch):
    """A clock that goes on by 1 at each look."""
    ticks = itertools.count()
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: next(ticks))
    watch = Stopwatch(torch.device("cpu"))

    def encode():
        with watch.stage("encoder"), watch.stage("patches"):
            pass

    encode()  # before the first step: no matter
    watch.begin()
    with watch.profile("[Strategy]SingleDeviceStrategy.training_step"):
        encode()
        with watch.profile("[Strategy]SingleDeviceStrategy.batch_to_device"):
            pass
    with watch.profile("[Callback]WriteRun{'a': 1.0}.on_train_batch_end"):
        pass
    seconds = watch.end()
    counted = {"losses": 2, "encoder": 2, "patches": 1, "logging": 1, "rest": 3}
    assert seconds == dict.fromkeys(STAGES, 0.0) | counted


@pytest.mark.parametrize(("fine", "waits"), [(False, 2), (True, 6)])
def test_a_gpu_is_awaited_around_steps_and_where_asked_around_stages(monkeypatch, fine, waits):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    watch = Stopwatch(torch.device("cuda", 0))
    watch.fine = fine
    watch.begin()
    with watch.stage("losses"), watch.stage("encoder"):
        pass
    watch.end()
    assert len(waited) == waits


def test_on_a_gpu_whole_steps_and_stages_are_timed_apart():
    cuda, cpu = (StepObserver(Stopwatch(torch.device(name))) for name in ("cuda", "cpu"))
    assert Meter(cpu, 3, 2).kinds == ["warmup"] * 2 + ["count"] + ["whole"] * 2
    assert Meter(cuda, 2, 2).kinds == ["warmup", "count", *["whole"] * 2, *["fine"] * 2]


def test_the_methods_own_code_is_measured_and_gives_the_same_losses(batch):
    losses = []
    for observe in (False, True):
        method, watch = clipstyler(), Stopwatch(torch.device("cpu"))
        if observe:
            method.observer = StepObserver(watch)
        method.prepare(batch)
        watch.begin()
        losses.append({k: float(loss.detach()) for k, loss in method.step(batch).items()})
        seconds = watch.end()
        observed = {stage for stage, value in seconds.items() if value > 0} - {"rest"}
        parts = {"generator", "content_features", "patches", "encoder"}
        assert observed == (parts if observe else set())
    assert losses[0] == losses[1]


@pytest.mark.parametrize("groups", [1, 8])
def test_operations_of_a_convolution_forward_and_backward(groups):
    convolution, x = nn.Conv2d(8, 16, 3, groups=groups), torch.rand(2, 8, 12, 12)
    products = 2 * 16 * 10 * 10 * (8 // groups) * 9
    for x_too, factor in ((False, 2), (True, 3)):  # forward, weights, input
        with operations() as counter:
            convolution(x.requires_grad_(x_too)).sum().backward()
        assert counter.get_total_flops() == factor * 2 * products


def test_operations_of_a_matrix_product():
    with operations() as counter:
        torch.rand(3, 5) @ torch.rand(5, 7)
    assert counter.get_total_flops() == 2 * 3 * 5 * 7


def result(capsys, *arguments):
    assert main(["profile", "--json", "--device", "cpu", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_json_says_what_was_measured(capsys):
    figures = result(capsys, *TWO_SIZES, "--against", "naive", "--model.generator", "stylenet")
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
    figures = result(capsys, *TWO_SIZES, "--against", "naive", "--accept", "0")
    assert [losses["patch"] for losses in figures["first_losses"].values()] == [0, 0]
    assert figures["loss_differences"]["patch"] == 0


@pytest.mark.parametrize("method", [path.stem for path in METHODS if path.stem != "clipstyler"])
def test_every_method_is_measured(capsys, method):
    words = ["--size", "96", "--steps", "1"] if method == "gatys" else SMALL
    figures = result(capsys, "--method", method, *words)
    assert "ratio" not in figures
    assert figures["flops"] > 0
    assert (figures["stages"]["patches"] > 0) == (method != "gatys")


def test_the_page_names_stages_and_ratio(capsys):
    assert main(["profile", "--device", "cpu", *SMALL, "--against", "naive"]) == 0
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
