"""The base of one-pass networks: blends, regions, steps from the text's style, files of weights."""

import pytest
import torch
from torch import nn

from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch
from lightning_modules.generators.attention import AttentionPainter
from lightning_modules.generators.fast_painter import FastPainter
from lightning_modules.generators.one_pass import OnePass, load_network

COLORS = {"red": [1.0, 0.0, 0.0], "green": [0.0, 1.0, 0.0], "blue": [0.0, 0.0, 1.0]}


class Plain(OnePass):
    """Painter of one colour: a style is a colour (3,)."""

    def __init__(self, pace=1.0):
        super().__init__(pace)
        self.network = nn.Linear(3, 3, bias=False).requires_grad_(False)
        nn.init.eye_(self.network.weight)

    def texts(self, texts):
        return self.network(torch.tensor([COLORS[text] for text in texts]))

    def paint(self, content, styles):
        return styles[..., None, None].expand(len(content), 3, *content.shape[2:])


def batch(*styles, masks=None, style_image=None):
    masks = torch.ones(1, 1, 4, 6) if masks is None else masks
    return StyleBatch(torch.zeros(1, 3, 4, 6), masks, styles, "a Photo", style_image)


def started(pace=1.0, **of_batch):
    generator = Plain(pace)
    generator.start(batch(*of_batch.pop("styles"), **of_batch))
    return generator


def test_a_blend_is_the_weighted_mean_of_its_texts_styles():
    blends = [((3.0, "red"), (1.0, "blue")), ((1.0, "green"),), ((1.0, "red"), (1.0, "red"))]
    expected = [[0.75, 0.0, 0.25], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    torch.testing.assert_close(Plain().styles(blends), torch.tensor(expected))


def test_each_region_has_its_style_and_the_first_also_what_no_mask_covers():
    masks = torch.zeros(1, 2, 4, 6)
    masks[0, 0, :, :2], masks[0, 1, :, 4:] = 1, 1
    painted = started(styles=[((1.0, "red"),), ((1.0, "blue"),)], masks=masks)(
        torch.zeros(1, 3, 4, 6)
    )
    assert (painted[0, 0, :, :4] == 1).all() and (painted[0, 2, :, :4] == 0).all()
    assert (painted[0, 2, :, 4:] == 1).all() and (painted[0, 0, :, 4:] == 0).all()


def test_a_picture_larger_than_the_masks_is_painted_whole():
    masks = torch.zeros(1, 2, 4, 6)
    masks[0, 0, :, :3], masks[0, 1, :, 3:] = 1, 1
    generator = started(styles=[((1.0, "red"),), ((1.0, "blue"),)], masks=masks)
    painted = generator(torch.zeros(1, 3, 40, 60))
    torch.testing.assert_close(painted[0, [0, 2]].sum(0), torch.ones(40, 60))
    assert painted[0, 0, :, :20].min() > 0.999 and painted[0, 2, :, 40:].min() > 0.999


def test_steps_move_the_styles_from_the_texts_and_leave_the_network_as_it_is():
    generator = started(pace=0.5, styles=[((1.0, "red"),)])
    assert [name for name, w in generator.named_parameters() if w.requires_grad] == ["moves"]
    generator.moves.data += 0.2
    painted = generator(torch.zeros(1, 3, 4, 6))
    torch.testing.assert_close(painted[0, :, 0, 0], torch.tensor([1.1, 0.1, 0.1]))
    assert all(weight.requires_grad for weight in generator.trainable())


def test_a_network_of_texts_refuses_a_style_picture():
    with pytest.raises(AtelierError, match="--style-image"):
        started(styles=[()], style_image=torch.zeros(1, 3, 8, 8))


@pytest.mark.parametrize("network", [FastPainter, AttentionPainter])
def test_shipped_networks_note_every_text_that_they_have_not_learned(network, caplog):
    generator = network()
    generator.start(batch(((1.0, "the art on fire"),)))
    assert generator.note == ""
    masks = torch.ones(1, 2, 4, 6)
    generator.start(batch(((0.5, "fire"), (0.5, "ice")), ((1.0, "a tax return"),), masks=masks))
    ice, tax = caplog.messages
    assert "no 'ice' and may paint 'ice' like 'frost'" in ice
    assert "no style like 'a tax return'" in tax
    assert generator.note == f"{ice}. {tax}"


def test_weights_come_back_with_the_texts_about_them(tmp_path):
    generator, other = Plain(), Plain()
    generator.network.weight += 0.25
    generator.save(tmp_path / "w.safetensors", {"styles": "red, blue"})
    about = load_network(other.network, tmp_path / "w.safetensors", "Plain")
    assert torch.equal(other.network.weight, generator.network.weight)
    assert about == {"styles": "red, blue", "network": "Plain"}


@pytest.mark.parametrize("content", [None, b"no weights", "another network"])
def test_weights_that_are_none_are_refused_in_one_sentence(tmp_path, content):
    path = tmp_path / "w.safetensors"
    if content == "another network":
        wider = Plain()
        wider.network = nn.Linear(4, 4)
        wider.save(path, {})
    elif content:
        path.write_bytes(content)
    with pytest.raises(AtelierError, match=str(path)) as refused:
        load_network(Plain().network, path, "Plain")
    assert "\n" not in str(refused.value)
