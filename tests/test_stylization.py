"""The base loop, the data module and Soulstyler, on a small picture with the real encoder."""

from itertools import islice
from pathlib import Path

import pytest
import torch

from datamodules.errors import AtelierError
from datamodules.images import fit_within, load_picture, save_png, to_picture, to_tensor
from datamodules.parsing.base import Parser
from datamodules.segmentation.base import Segmenter
from datamodules.stylization import StylizationDataModule
from datamodules.task import StyleTarget, StyleTask
from evaluation.metrics.background import background_preservation
from evaluation.metrics.style_similarity import style_similarity
from lightning_modules.encoders.bridge import BridgeEncoder
from lightning_modules.patches import Patches
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures
from lightning_modules.soulstyler import Soulstyler
from lightning_modules.stylenet import StyleNet

METHODS = sorted((Path(__file__).parents[1] / "configs" / "methods").glob("*.yaml"))
WEIGHTS = {"global": 500.0, "patch": 9e3, "background": 150.0, "content": 20.0, "tv": 2e-3}


@pytest.fixture
def content():
    return to_tensor(fit_within(load_picture("skimage:chelsea"), 96))


@pytest.fixture
def mask(content):
    mask = torch.zeros(content.shape[1:])
    mask[16:48, 24:72] = 1
    return mask


def soulstyler(**settings):
    torch.manual_seed(0)
    settings = {"weights": WEIGHTS, "patches": Patches(count=8), "tau": 0.5, **settings}
    return Soulstyler(
        generator=StyleNet(width=8),
        encoder=BridgeEncoder(image_size=64),
        content_features=EfficientNetFeatures(),
        learning_rate=5e-3,
        brush=[0.25, 0.375],
        **settings,
    )


def optimise(method, batch, steps):
    """A bare loop: what Lightning does, without it."""
    optimizer = method.configure_optimizers()["optimizer"]
    history = []
    for step in range(steps):
        results = method.training_step(batch, step)
        optimizer.zero_grad()
        results["loss"].backward()
        optimizer.step()
        history.append({name: float(value.detach()) for name, value in results.items()})
    with torch.no_grad():
        return method(batch)[0], history


def task(content, mask, style="fire"):
    return StyleTask(content, (StyleTarget("cat", style),), mask[None]).batch()


def test_the_object_takes_the_style_and_the_background_stays(content, mask):
    method, batch = soulstyler(), task(content, mask)
    output, history = optimise(method, batch, steps=25)
    assert torch.equal(output[:, mask == 0], content[:, mask == 0])
    assert (output - content)[:, mask == 1].abs().mean() > 0.05
    assert history[-1]["patch"] < history[0]["patch"] - 0.02


def test_a_mask_of_nothing_changes_nothing(content, mask):
    method = soulstyler()
    output = method(task(content, torch.zeros_like(mask)))
    assert torch.equal(output[0], content)
    with pytest.raises(AtelierError, match="too small or thin"):
        method.training_step(task(content, torch.zeros_like(mask)), 0)


def test_without_composite_the_whole_picture_is_the_generators(content, mask):
    method = soulstyler(composite=False)
    batch = task(content, mask)
    assert torch.equal(method(batch), method.generator(batch.content))


def test_gradients_flow_to_the_generator_only(content, mask):
    method = soulstyler()
    method.training_step(task(content, mask), 0)["loss"].backward()
    assert all(p.grad is not None for p in method.generator.parameters())
    frozen = [*method.encoder.parameters(), *method.content_features.parameters()]
    assert frozen
    assert all(p.grad is None and not p.requires_grad for p in frozen)
    optimizer = method.configure_optimizers()["optimizer"]
    optimised = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert optimised == {id(p) for p in method.generator.parameters()}


def test_missing_and_surplus_weights_are_said(content, mask):
    method = soulstyler(weights={"patch": 1.0})
    with pytest.raises(AtelierError, match="exactly one weight"):
        method.training_step(task(content, mask), 0)


class Parrot(Parser):
    """Answers what it was told, and counts how often it was asked."""

    def __init__(self, object, style):
        self.target, self.asked = StyleTarget(object, style), 0

    def parse(self, instruction):
        self.asked += 1
        return [self.target]


class Quarter(Segmenter):
    """Finds everything in the upper left quarter."""

    def segment(self, content, phrase):
        mask = torch.zeros(content.shape[1:])
        mask[: mask.shape[0] // 2, : mask.shape[1] // 2] = 1
        return mask


def data(**settings):
    settings = {"image": "skimage:chelsea", "parser": Parrot("cat", "fire"), **settings}
    return StylizationDataModule(segmenter=Quarter(), size=96, **settings)


def test_parse_mask_batch():
    module = data(instruction="Turn the cat to fire", feather=0)
    module.setup()
    assert module.task.targets == (StyleTarget("cat", "fire"),)
    assert module.task.content.shape == (3, 64, 96)
    assert module.task.masks.shape == (1, 64, 96)
    assert module.task.masks.mean().item() == pytest.approx(0.25, abs=0.01)
    first, second = islice(module.train_dataloader(), 2)
    assert first.content.shape == (1, 3, 64, 96)
    assert first is second
    moved = module.transfer_batch_to_device(first, torch.device("cpu"), 0)
    assert module.transfer_batch_to_device(first, torch.device("cpu"), 0) is moved


def test_what_is_given_is_not_asked_for(tmp_path):
    module = data(object="cat", style="fire")
    module.setup()
    assert module.parser.asked == 0
    save_png(to_picture(torch.ones(60, 90)), tmp_path / "mask.png")
    module = data(style="fire", mask=str(tmp_path / "mask.png"))
    module.setup()
    assert module.parser.asked == 0
    assert module.task.masks.min() == 1
    module = data(style="gold", instruction="Turn the cat to fire")
    module.setup()
    assert module.task.targets == (StyleTarget("cat", "gold"),)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"instruction": "  "}, "There is no instruction"),
        ({"instruction": "x", "parser": Parrot("cat", "")}, "No style was found"),
        ({"instruction": "x", "parser": Parrot("", "fire")}, "No object was found"),
        ({"style": "fire"}, "There is no instruction"),
        ({"instruction": "word " * 90, "parser": Parrot("", "fire")}, r"wo\.\.\.'"),
    ],
)
def test_what_an_instruction_lacks_is_said(settings, sentence):
    with pytest.raises(AtelierError, match=sentence):
        data(**settings).setup()


def test_background_preservation_by_hand(mask):
    torch.manual_seed(0)
    content = torch.rand(3, *mask.shape) * 0.5
    output = content.clone()
    output[:, mask == 1] = 1.0
    same = background_preservation(output, content, mask)
    assert same["background_max_error"] == 0
    assert same["background_psnr"] == 100
    assert same["background_ssim"] == pytest.approx(1)
    output[:, 0, 0] += 0.3
    changed = background_preservation(output, content, mask)
    outside = int((mask == 0).sum())
    assert changed["background_max_error"] == pytest.approx(0.3)
    assert changed["background_mean_error"] == pytest.approx(0.3 / outside)
    mse = 0.3**2 / outside
    assert changed["background_psnr"] == pytest.approx(-10 * torch.tensor(mse).log10().item(), 1e-4)
    assert changed["background_ssim"] < 1
    assert background_preservation(output, content, torch.ones_like(mask)) == {}


def test_similarity_prefers_what_the_picture_shows():
    cup, encoder = to_tensor(load_picture("skimage:coffee")), BridgeEncoder(image_size=128)
    coffee, truck = (style_similarity(cup, {text: 1.0}, encoder) for text in ("coffee", "a truck"))
    assert -1 <= truck < coffee <= 1


@pytest.mark.parametrize("config", METHODS, ids=lambda path: path.stem)
def test_every_method_is_built_from_its_yaml_and_steps(config, tmp_path, mask, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_png(to_picture(mask), tmp_path / "mask.png")
    from experiments.runner import AtelierCLI

    cli = AtelierCLI.from_arguments(
        [
            f"--config={config}",
            "--data.image=skimage:chelsea",
            "--data.style=fire",
            f"--data.mask={tmp_path / 'mask.png'}",
            "--data.size=96",
            "--trainer.max_steps=2",
            "--wandb.enabled=false",
        ],
        started=0.0,
    )
    folder = cli.run().folder
    assert cli.trainer.global_step == 2
    assert (folder / "result.json").exists()
