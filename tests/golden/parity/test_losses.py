"""Losses and texts against the published codes."""

import open_clip
import pytest
import torch
from torch.nn import functional as F

from lightning_modules.losses.directional import directional_loss
from lightning_modules.losses.patch import patch_loss, threshold_rejection
from lightning_modules.losses.total_variation import total_variation_norms
from lightning_modules.steps.directions import embed_prompted, text_direction
from tests.golden.parity.published import facts, golden, largest_difference
from tests.support.tiny import TinyEncoder


class RecordedTexts(TinyEncoder):
    """Recorded embeddings in place of a text network's; notes the prompts of each text."""

    def __init__(self, by_text):
        super().__init__()
        self.by_text, self.prompts = by_text, {}

    def text_features(self, texts):
        (text,) = [text for text in self.by_text if all(text in prompt for prompt in texts)]
        self.prompts[text] = texts
        return self.by_text[text]


@pytest.fixture
def texts():
    recorded = golden("directional")
    return RecordedTexts({"fire": recorded["style_texts"], "a Photo": recorded["source_texts"]})


@pytest.mark.parity("Total variation")
def test_the_total_variation_is_the_published_one(agree):
    recorded = golden("total_variation")
    ours = total_variation_norms(recorded["image"])
    agree(ours / recorded["value"], 1.0, within=1e-6)


@pytest.mark.parity("Prompts")
def test_the_prompts_are_the_published_79_in_their_order(texts):
    embed_prompted(texts, "fire")
    wording = facts("templates")
    templates = list(open_clip.OPENAI_IMAGENET_TEMPLATES)
    for index in wording["left_out_of_open_clip_80"]:
        del templates[index]
    assert texts.prompts["fire"] == [template("fire") for template in templates]
    assert len(templates) == wording["used"] == 79


def direction_of(texts, raw_average):
    style, source = (embed_prompted(texts, text, raw_average) for text in ("fire", "a Photo"))
    return text_direction(style, source)


@pytest.mark.parity("Average of the prompts")
def test_the_text_direction_is_the_published_one_with_a_raw_average(texts, agree):
    recorded = golden("directional")["direction"]
    recorded = recorded / recorded.norm()
    agree(direction_of(texts, raw_average=True), recorded, within=1e-6)
    assert largest_difference(direction_of(texts, raw_average=False), recorded) > 1e-4


@pytest.mark.parity("Directional loss")
def test_directional_losses_are_the_published_ones(agree):
    recorded = golden("directional")
    patches, content = (F.normalize(recorded[name], dim=-1) for name in ("patches", "content"))
    ours = directional_loss(patches, content[0], F.normalize(recorded["direction"], dim=0))
    agree(ours, recorded["directional"], within=1e-6)


@pytest.mark.parity("Threshold rejection")
def test_patch_losses_are_the_published_ones_at_each_threshold(agree):
    """The third threshold equals one of the losses, which then counts in the published code."""
    recorded, at_threshold = golden("directional"), []
    for tau, published in zip(recorded["thresholds"], recorded["patch_at"], strict=True):
        losses = recorded["directional"]
        by_mode = [
            patch_loss(losses, tau, reject=lambda s, t, b=below: threshold_rejection(s, t, b))
            for below in (True, False)
        ]
        agree(by_mode[0], published, within=1e-6)
        at_threshold.append(not torch.equal(*by_mode))
    assert at_threshold == [False, False, True]
