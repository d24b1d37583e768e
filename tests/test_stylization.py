"""The base loop, the data module and Soulstyler, on a small picture with the real encoder."""

from functools import partial
from itertools import islice
from types import SimpleNamespace

import pytest
import torch

from datamodules.images import save_png, to_picture
from datamodules.parsing.base import Parser
from datamodules.run_folder import FULL
from datamodules.segmentation.base import Segmenter
from datamodules.segmentation.whole import WholePicture
from datamodules.stylization import StylizationDataModule
from datamodules.support.errors import AtelierError
from datamodules.task import StyleTarget, StyleTask
from experiments.run.configuration import compose
from experiments.run.registry import METHODS, names
from lightning_modules import callbacks
from lightning_modules.callbacks import WriteRun
from lightning_modules.generators.stylenet import StyleNet
from lightning_modules.optimizers.soap import Soap
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures
from lightning_modules.soulstyler import Soulstyler
from lightning_modules.steps.blending import Blending
from lightning_modules.steps.patches import Patches
from tests.support.methods import Bridge, batch_of, descend, optimise

WEIGHTS = {"global": 500.0, "patch": 9e3, "background": 150.0, "content": 20.0, "tv": 2e-3}


@pytest.fixture
def middle(content):
    """A mask (64, 96): 1 in the middle."""
    mask = torch.zeros(content.shape[1:])
    mask[16:48, 24:72] = 1
    return mask


def soulstyler(**settings):
    torch.manual_seed(0)
    settings = {"weights": WEIGHTS, "patches": Patches(count=8), "tau": 0.5, **settings}
    return Soulstyler(
        generator=StyleNet(width=8),
        encoder=Bridge(),
        content_features=EfficientNetFeatures(),
        optimizer=partial(torch.optim.Adam, lr=5e-3),
        brush=[0.25, 0.375],
        **settings,
    )


def test_the_object_takes_the_style_and_the_background_stays(content, middle):
    method, batch = soulstyler(), batch_of(content, [middle], "fire")
    history = descend(method, batch, steps=25)
    output = method.stylize(batch)[0].detach()
    assert torch.equal(output[:, middle == 0], content[:, middle == 0])
    assert (output - content)[:, middle == 1].abs().mean() > 0.05
    assert history[-1]["patch"] < history[0]["patch"] - 0.02


def test_a_mask_of_nothing_changes_nothing(content, middle):
    method = soulstyler()
    output = method(batch_of(content, [torch.zeros_like(middle)], "fire"))
    assert torch.equal(output[0], content)
    with pytest.raises(AtelierError, match="too small or thin"):
        method.prepare(batch_of(content, [torch.zeros_like(middle)], "fire"))


def test_without_composite_the_whole_picture_is_the_generators(content, middle):
    method = soulstyler(blending=Blending())
    batch = batch_of(content, [middle], "fire")
    assert torch.equal(method(batch), method.generator(batch.content))


def test_gradients_flow_to_the_generator_only(content, middle):
    method = soulstyler()
    batch = batch_of(content, [middle], "fire")
    method.prepare(batch)
    method.training_step(batch, 0)["loss"].backward()
    assert all(p.grad is not None for p in method.generator.parameters())
    frozen = [*method.encoder.parameters(), *method.content_features.parameters()]
    assert frozen
    assert all(p.grad is None and not p.requires_grad for p in frozen)
    method.trainer = trainer = SimpleNamespace(max_steps=1)
    optimizer = method.configure_optimizers()["optimizer"]
    assert optimizer.param_groups[0]["steps"] == trainer.max_steps
    optimised = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert optimised == {id(p) for p in method.generator.parameters()}


def test_missing_and_surplus_weights_are_said(content, middle):
    method = soulstyler(weights={"patch": 1.0})
    with pytest.raises(AtelierError, match="exactly one weight"):
        optimise(method, batch_of(content, [middle], "fire"), steps=1)


class Parrot(Parser):
    """Answers what it was told, and counts how often it was asked."""

    def __init__(self, *pairs):
        self.targets, self.asked = [StyleTarget(*pair) for pair in pairs], 0

    def parse(self, instruction):
        self.asked += 1
        return self.targets


class Quarter(Segmenter):
    """Finds everything in the upper left quarter, but a sky in the upper half."""

    def segment(self, content, phrase):
        mask = torch.zeros(content.shape[1:])
        mask[: mask.shape[0] // 2, : mask.shape[1] // (1 if phrase == "sky" else 2)] = 1
        return mask


def data(**settings):
    settings = {"image": "skimage:chelsea", "parser": Parrot(("cat", "fire")), **settings}
    return StylizationDataModule(**{"segmenter": Quarter(), "size": 96, "feather": 0, **settings})


def test_parse_mask_batch():
    module = data(instruction="Turn the cat to fire")
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
    assert module.task.masks.min() > 0.999
    module = data(style="gold", instruction="Turn the cat to fire")
    module.setup()
    assert module.task.targets == (StyleTarget("cat", "gold"),)


def test_a_mask_is_one_where_the_object_is_and_zero_where_it_is_spared():
    module = data(object="cat", style="fire")
    module.setup()
    assert module.task.masks[0, 0, 0] == 1
    assert module.task.masks[0, -1, -1] == 0
    spared = data(object="cat", style="fire", protect_object=True)
    spared.setup()
    torch.testing.assert_close(spared.task.masks, 1 - module.task.masks)


def test_runs_of_one_process_share_masks():
    phrases = []

    class Counting(Quarter):
        def __init__(self, size=1):
            self.size = size

        def segment(self, content, phrase):
            phrases.append(phrase)
            self.confidence = 0.1 * len(phrases)
            return super().segment(content, phrase)

    def prepared(segmenter, **settings):
        module = data(**{"object": "cat", "style": "fire", "segmenter": segmenter, **settings})
        module.setup()
        return module

    first, second = prepared(Counting()), prepared(Counting(), style="ice", size=64)
    assert phrases == ["cat"]
    assert first.confidence == second.confidence == {"cat": 0.1}
    assert second.task.masks.shape == (1, 43, 64)
    assert second.task.masks.mean() == pytest.approx(0.25, abs=0.02)
    prepared(Counting(2))
    prepared(Counting(), object="sky")
    prepared(Counting(), image="skimage:coffee")
    assert phrases == ["cat", "cat", "sky", "cat"]


def test_the_smaller_region_keeps_what_two_claim_and_it_is_said(caplog):
    module = data(targets={"sky": "Starry Night", "cat": "fire"})
    module.setup()
    sky, cat = module.task.masks
    assert module.parser.asked == 0
    assert (sky + cat).max() <= 1
    assert sky[0, 0] < 0.001 and cat[0, 0] > 0.999
    assert sky[0, -1] > 0.999 and cat[0, -1] < 0.001
    assert "cat and sky overlap on 24.9% of the picture, which goes to cat" in caplog.text


def test_the_background_is_what_no_object_names():
    for settings in (
        {"targets": {"background": "snow", "cat": "fire"}},
        {"object": "cat", "style": "fire", "background_style": "snow"},
        {"instruction": "x", "parser": Parrot(("cat", "fire"), ("background", "snow"))},
    ):
        module = data(feather=2.0, **settings)
        module.setup()
        batch = module.task.batch()
        assert batch.styles == (((1.0, "fire"),), ((1.0, "snow"),))
        torch.testing.assert_close(batch.masks.sum(1), torch.ones(1, 64, 96))


@pytest.mark.parametrize("protect", [False, True])
def test_the_background_alone_is_looked_for_like_an_object(protect):
    module = data(targets={"background": "snow"}, protect_object=protect)
    module.setup()
    assert module.task.batch().styles == (((1.0, "snow"),),)
    asked = Quarter().segment(torch.zeros(3, 64, 96), "background")
    assert float((module.task.masks[0] - asked).abs().mean()) < 0.02  # but for the edge


def test_a_blend_is_one_region_with_weights():
    module = data(object="cat", style="0.7*Van Gogh + 0.3*Hokusai")
    module.setup()
    assert module.task.masks.shape[0] == 1
    assert module.task.batch().styles == (((0.7, "Van Gogh"), (0.3, "Hokusai")),)


def test_a_style_picture_needs_no_text():
    module = data(object="cat", style_image="skimage:coffee")
    module.setup()
    assert module.parser.asked == 0
    assert module.task.batch().styles == ((),)
    assert module.task.batch().style_image.shape == (1, 3, 64, 96)


def test_the_whole_picture_needs_no_object():
    module = data(style="fire", segmenter=WholePicture())
    module.setup()
    assert module.parser.asked == 0
    assert module.task.masks.min() > 0.999
    module = data(instruction="x", parser=Parrot(("", "fire")), segmenter=WholePicture())
    module.setup()
    assert module.task.batch().styles == (((1.0, "fire"),),)


def test_one_mask_file_an_object(tmp_path):
    for name, value in (("a", 1.0), ("b", 1.0)):
        mask = torch.zeros(60, 90)
        mask[:, :45] = value if name == "a" else 0
        mask[:, 45:] = value if name == "b" else 0
        save_png(to_picture(mask), tmp_path / f"{name}.png")
    files = [str(tmp_path / f"{name}.png") for name in "ab"]
    module = data(targets={"cat": "fire", "dog": "ice"}, mask=files)
    module.setup()
    assert module.task.masks[0, :, :40].min() > 0.999
    assert module.task.masks[1, :, 60:].min() > 0.999
    with pytest.raises(AtelierError, match="1 masks are given for 2 objects"):
        data(targets={"cat": "fire", "dog": "ice"}, mask=files[:1]).setup()


def test_masks_that_contradict_the_contract_are_refused():
    content, target = torch.rand(3, 8, 8), (StyleTarget("cat", "fire"),)
    for masks, why in (
        (torch.ones(2, 8, 8), "zip"),
        (torch.ones(1, 4, 4), "a mask has shape"),
        (1.5 * torch.ones(1, 8, 8), "masks must be in"),
    ):
        with pytest.raises(ValueError, match=why):
            StyleTask.of(content, target, masks)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"instruction": "  "}, "There is no instruction"),
        ({"instruction": "x", "parser": Parrot(("cat", ""))}, "There is no style in"),
        ({"instruction": "x", "parser": Parrot(("", "fire"))}, "There is no object in"),
        ({"style": "fire"}, "There is no instruction"),
        ({"targets": {"cat": ""}}, "give each object and style in words"),
        ({"targets": {f"cat {k}": "fire" for k in range(9)}}, "9 styles are requested"),
        ({"object": "cat", "style": "0*fire + 0*ice"}, "at least one greater than 0"),
        ({"object": "cat", "style": "-1*fire + 2*ice"}, "weights must be 0 or more"),
        ({"object": "cat", "style": "0.5*fire + ice"}, "'ice' has no weight"),
        (
            {"instruction": "x", "style": "gold", "parser": Parrot(("cat", "a"), ("dog", "b"))},
            "Several objects are named",
        ),
        ({"targets": {"cat": "fire", "dog": "ice"}}, "Nothing is left of the region 'dog'"),
        (
            {"targets": {"cat": "fire", "sky": "ice"}, "protect_object": True},
            "spares one object and styles the rest",
        ),
        ({"instruction": "word " * 90, "parser": Parrot(("", "fire"))}, r"wo\.\.\.'"),
    ],
)
def test_what_an_instruction_lacks_is_said(settings, sentence):
    with pytest.raises(AtelierError, match=sentence):
        data(**settings).setup()


@pytest.mark.parametrize("method", names(METHODS))
def test_every_method_is_built_from_its_yaml_and_steps(method, tmp_path, mask, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from experiments.run.lightning_cli import AtelierCLI

    settings = {
        "data.image": "skimage:chelsea",
        "data.style": "fire",
        "data.style_image": "skimage:coffee",
        "data.mask": str(mask),
        "data.size": 96,
        "trainer.max_steps": 2,
        "wandb.enabled": False,
    }
    cli = AtelierCLI.from_settings(compose(method), settings, started=0.0)
    folder = cli.run().folder
    assert cli.trainer.global_step == 2
    assert (folder / "result.json").exists()


@pytest.mark.parametrize(("mode", "steps"), [("paper", 2), ("reference", 3)])
def test_the_reference_takes_one_step_more(tmp_path, monkeypatch, mode, steps):
    monkeypatch.chdir(tmp_path)
    from experiments.run.lightning_cli import AtelierCLI

    settings = {"data.image": "skimage:chelsea", "data.style": "fire", "data.size": 64}
    settings |= {"trainer.max_steps": 2, "wandb.enabled": False, "model.mode": mode}
    cli = AtelierCLI.from_settings(compose("clipstyler"), settings, started=0.0)
    folder = cli.run().folder
    assert cli.trainer.global_step == steps
    assert len((folder / "losses.csv").read_text().splitlines()) == 1 + steps


def test_the_fast_preset_runs_from_the_identity_with_its_own_optimizer(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from experiments.run.lightning_cli import AtelierCLI

    settings = {"data.image": "skimage:chelsea", "data.style": "fire", "data.size": 64}
    settings |= {"model.generator.start": "identity", "trainer.max_steps": 3}
    settings |= {"wandb.enabled": False}
    cli = AtelierCLI.from_settings(compose("clipstyler", "fast"), settings, started=0.0)
    cli.run()
    optimizer = cli.model.optimizers().optimizer
    assert isinstance(optimizer, Soap)
    (group,) = optimizer.param_groups
    assert group["initial_lr"] == 3e-3
    assert group["floor"] == 1e-4  # not the eps of Adam, which the method's file names
    assert group["lr"] == 0  # the line has come to its end
    content, batch = cli.datamodule.task.content, cli.datamodule.task.batch()
    assert 0.01 < (cli.model.stylize(batch)[0] - content).abs().mean() < 0.2  # still the photo


def test_a_full_picture_that_does_not_fit_into_memory_is_left_out_and_said(
    tmp_path, monkeypatch, caplog
):
    module = data(object="cat", style="fire", size=64, full_size=128)
    module.setup()
    assert module.full.content.shape == (3, 85, 128)
    method = soulstyler()
    method.generator.start(module.task.batch())
    folder = WriteRun(tmp_path, "name", module.task, "", full=module.full)
    monkeypatch.setattr(callbacks, "available", lambda device, limit: 85 * 128 * 100)
    folder._paint_full(method)
    assert "output_full.png is left out; give a smaller --full-size" in caplog.text
    assert not (tmp_path / FULL).exists()
    monkeypatch.setattr(callbacks, "available", lambda device, limit: 85 * 128 * 1000)
    folder._paint_full(method)
    assert (tmp_path / FULL).exists()
