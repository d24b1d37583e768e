"""The bridge segmenter as a list of cues: order, configuration and ablation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from jsonargparse import ArgumentParser

from datamodules.images import load_picture, to_tensor
from datamodules.segmentation.base import Segmenter
from datamodules.segmentation.bridge import BridgeSegmenter
from datamodules.segmentation.cues.base import Cue, Finding
from datamodules.segmentation.cues.classes import Classes
from datamodules.segmentation.cues.heads import Heads
from datamodules.segmentation.cues.people import People
from datamodules.segmentation.cues.salient_person import SalientPerson
from datamodules.segmentation.cues.stuff import Stuff
from datamodules.support.errors import AtelierError
from experiments.measure.mask_quality import WITHOUT, ablations

DEFAULT = [People, Stuff, Heads, SalientPerson, Classes]
BRIDGE = "datamodules.segmentation.bridge.BridgeSegmenter"


@dataclass(frozen=True)
class Half(Cue):
    """Cue for one word, whose object is the left or the right half."""

    word: str
    confidence: float
    left: bool = True

    def find(self, scene, phrase):
        if self.word not in phrase:
            return None
        height, width = scene.small.shape[:2]
        columns = np.arange(width) < width / 2 if self.left else np.arange(width) >= width / 2
        return Finding(np.tile(columns, (height, 1)), self.confidence)


def noise(*size: int) -> torch.Tensor:
    return torch.rand(3, *size, generator=torch.manual_seed(0))


def built(**init_args) -> BridgeSegmenter:
    """Segmenter that a configuration file gives."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(Segmenter, "segmenter")
    config = parser.parse_object({"segmenter": {"class_path": BRIDGE, "init_args": init_args}})
    return parser.instantiate(config).segmenter


def test_the_first_cue_with_a_mask_decides():
    segmenter = BridgeSegmenter([Half("red", 0.8), Half("red cat", 0.9, left=False)])
    mask = segmenter.segment(noise(60, 90), "the red cat")
    assert mask.shape == (60, 90)
    assert mask[:, :40].all() and not mask[:, 50:].any()
    assert segmenter.confidence == 0.8
    segmenter = BridgeSegmenter(segmenter.cues[::-1])
    mask = segmenter.segment(noise(60, 90), "the red cat")
    assert mask[:, 50:].all() and not mask[:, :40].any()
    assert segmenter.confidence == 0.9


def test_a_phrase_that_no_cue_finds_is_refused():
    with pytest.raises(AtelierError, match=r'"the cat" was not found.*--mask FILE'):
        BridgeSegmenter([Half("dog", 0.8), Stuff()]).segment(noise(40, 60), "the cat")
    with pytest.raises(AtelierError, match="was not found"):
        BridgeSegmenter([]).segment(noise(40, 60), "the cat")


def test_configurations_give_the_default_cues():
    segmenter = built()
    assert [type(cue) for cue in segmenter.cues] == DEFAULT
    assert segmenter.cues == BridgeSegmenter().cues


def test_configurations_set_the_class_cue_through_the_segmenter():
    """All settings that a run's config.yaml lists under the segmenter."""
    settings = {"windows": [0.5], "saliency": 0.0, "guidance": 1.0, "areas": [0.2, 0.4]}
    settings |= {"picture_ridge": 0.4, "position": 0.0, "temper": 0.5}
    segmenter = built(
        **settings, side=128, presence=-1.0, scales=[256], temperature=0.3, name_ridge=1.0
    )
    assert segmenter.cues[-1] == Classes(0.4, 0.0, (0.5,), 0.0, 1.0, (0.2, 0.4), 0.5)
    assert segmenter.cues[:-1] == BridgeSegmenter().cues[:-1]
    scene = segmenter.scene(noise(64, 256))
    assert scene.small.shape == (32, 128, 3) and scene.presence == -1
    assert (scene.reader.scales, scene.reader.temperature, scene.reader.name_ridge) == (
        (256,),
        0.3,
        1.0,
    )


def test_configurations_list_cues_with_their_own_settings():
    cues = "datamodules.segmentation.cues"
    people = {"class_path": f"{cues}.people.People", "init_args": {"minor": 0.1}}
    classes = {"class_path": f"{cues}.classes.Classes", "init_args": {"windows": [0.2]}}
    segmenter = built(cues=[people, classes], presence=0.0)
    assert segmenter.cues == [People(minor=0.1), Classes(windows=(0.2,))]
    assert segmenter.presence == 0
    assert built(cues=["Stuff"]).cues == [Stuff()]


def test_settings_that_no_cue_would_get_are_refused():
    with pytest.raises(AtelierError, match=r"^windows, temper are settings of the cue Classes;"):
        BridgeSegmenter([Stuff()], windows=(), temper=1.0, guidance=4.0)
    with pytest.raises(TypeError, match="nonsense"):
        BridgeSegmenter(nonsense=1)


def test_what_cues_share_is_computed_once_per_picture():
    scene = BridgeSegmenter(scales=(64,)).scene(to_tensor(load_picture("skimage:chelsea")))
    assert scene.saliency is scene.saliency
    with torch.no_grad():
        assert scene.reading("cat") is scene.reading("cat")
        assert scene.reading("cat").evidence != scene.reading("dog").evidence


def test_people_need_less_evidence_than_things():
    content = to_tensor(load_picture("skimage:chelsea"))
    segmenter = BridgeSegmenter(scales=(64,))
    with torch.no_grad():
        evidence = segmenter.evidence(content, ["woman", "giraffe"])
        for phrase, allowance in (("woman", 1.0), ("giraffe", 0.0)):
            for less, shown in ((0.01, True), (-0.01, False)):
                segmenter.presence = evidence[phrase] + allowance - less
                assert segmenter.scene(content).shows(phrase) == shown


def test_ablations_leave_out_one_cue_or_change_one_setting():
    segmenters = ablations()
    for cue in DEFAULT:
        left = [type(other) for other in segmenters[f"the cue {cue.__name__}"].cues]
        assert left == [other for other in DEFAULT if other is not cue]
    assert segmenters["nothing"].cues == BridgeSegmenter().cues
    for name in WITHOUT:
        assert [type(cue) for cue in segmenters[name].cues] == DEFAULT
    assert len(segmenters) == 1 + len(DEFAULT) + len(WITHOUT)
