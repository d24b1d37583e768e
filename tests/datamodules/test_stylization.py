"""From an instruction to regions, masks and a batch."""

from itertools import islice

import pytest
import torch

from datamodules.images import save_png, to_picture
from datamodules.segmentation.whole import WholePicture
from datamodules.support.errors import AtelierError
from datamodules.task import StyleTarget, StyleTask
from tests.support.soulstyler import Parrot, Quarter, data


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
    assert module.parser.calls == 0
    save_png(to_picture(torch.ones(60, 90)), tmp_path / "mask.png")
    module = data(style="fire", mask=str(tmp_path / "mask.png"))
    module.setup()
    assert module.parser.calls == 0
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
    assert module.parser.calls == 0
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
    inside = Quarter().segment(torch.zeros(3, 64, 96), "background")
    assert float((module.task.masks[0] - inside).abs().mean()) < 0.02  # but for the edge


def test_a_blend_is_one_region_with_weights():
    module = data(object="cat", style="0.7*Van Gogh + 0.3*Hokusai")
    module.setup()
    assert module.task.masks.shape[0] == 1
    assert module.task.batch().styles == (((0.7, "Van Gogh"), (0.3, "Hokusai")),)


def test_a_style_picture_needs_no_text():
    module = data(object="cat", style_image="skimage:coffee")
    module.setup()
    assert module.parser.calls == 0
    assert module.task.batch().styles == ((),)
    assert module.task.batch().style_image.shape == (1, 3, 64, 96)


def test_the_whole_picture_needs_no_object():
    module = data(style="fire", segmenter=WholePicture())
    module.setup()
    assert module.parser.calls == 0
    assert module.task.masks.min() > 0.999
    module = data(instruction="x", parser=Parrot(("", "fire")), segmenter=WholePicture())
    module.setup()
    assert module.task.batch().styles == (((1.0, "fire"),),)


def test_no_object_is_the_whole_picture_for_every_segmenter():
    for settings in (
        {"style": "fire"},
        {"instruction": "x", "parser": Parrot(("", "fire"))},
        {"style": "fire", "protect_object": True},
    ):
        module = data(feather=2.0, **settings)
        module.setup()
        assert module.task.masks.min() == 1, settings
    sky = data(targets=[{"object": "", "style": "ice"}, {"object": "cat", "style": "fire"}])
    sky.setup()
    assert sky.task.masks.sum(0).min() == pytest.approx(1)
    assert sky.task.masks[0, 0, 0] == 0


def test_objects_of_one_style_are_one_region_of_the_batch(caplog):
    parrot = Parrot(("cat", "fire"), ("sky", "fire"), ("background", "snow"))
    module = data(instruction="x", parser=parrot)
    module.setup()
    assert [region.area.object for region in module.task.regions] == ["cat", "sky", "background"]
    batch = module.task.batch()
    assert batch.styles == (((1.0, "fire"),), ((1.0, "snow"),))
    upper = torch.zeros(64, 96)
    upper[:32] = 1
    assert (batch.masks[0] - torch.stack([upper, 1 - upper])).abs().mean() < 0.01  # but the edge
    assert "overlap" not in caplog.text
    everywhere = data(instruction="x", parser=parrot, segmenter=WholePicture())
    with pytest.raises(AtelierError, match="Nothing is left of the region 'background'"):
        everywhere.setup()


def test_a_style_of_the_settings_replaces_the_one_of_all_objects():
    parrot = Parrot(("cat", "fire", 1, ("ear",)), ("sky", "fire"))
    module = data(instruction="x", parser=parrot, style="gold", exceptions="sun")
    assert module.targets == (
        StyleTarget("cat", "gold", exceptions=("ear", "sun")),
        StyleTarget("sky", "gold", exceptions=("sun",)),
    )


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
        ({"object": "cat"}, "There is no instruction"),
        ({"object": "cat", "style": "fire", "exceptions": [" "]}, "--except is blank"),
        ({"targets": [{"object": "cat"}]}, "there is a target without object and style"),
        ({"object": "cat", "style": "fire", "exceptions": ["cat"]}, "the exceptions are taken out"),
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
            {"instruction": "x", "object": "cat", "parser": Parrot(("boat", "a"), ("dog", "a"))},
            "Several objects are named",
        ),
        (
            {"targets": {"cat": "fire", "sky": "ice"}, "protect_object": True},
            "spares one object and styles the rest",
        ),
        ({"instruction": "word " * 90, "parser": Parrot(("cat", ""))}, r"wo\.\.\.'"),
    ],
)
def test_what_an_instruction_lacks_is_said(settings, sentence):
    with pytest.raises(AtelierError, match=sentence):
        data(**settings).setup()
