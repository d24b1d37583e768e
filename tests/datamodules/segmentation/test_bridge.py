"""The bridge segmenter as a list of cues: order, configuration and ablation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from jsonargparse import ArgumentParser
from skimage import data
from torch import Tensor

from datamodules.images import load_picture, to_tensor
from datamodules.segmentation.base import Segmenter
from datamodules.segmentation.bridge import BridgeSegmenter
from datamodules.segmentation.cues.base import Cue, Finding
from datamodules.segmentation.cues.classes import Classes
from datamodules.segmentation.cues.heads import Heads
from datamodules.segmentation.cues.people import People
from datamodules.segmentation.cues.salient_person import SalientPerson
from datamodules.segmentation.cues.stuff import Stuff
from datamodules.segmentation.features.base import DenseFeatures
from datamodules.segmentation.operations.phrases import nested_phrases
from datamodules.segmentation.operations.regions import rest, separate
from datamodules.segmentation.spectral import SpectralSegmenter, fiedler
from datamodules.segmentation.whole import WholePicture
from datamodules.support.errors import AtelierError
from evaluation.metrics.mask_iou import mask_iou
from experiments.measure.mask_quality import WITHOUT, ablations, cases

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
    segmenter, content = BridgeSegmenter(scales=(64,)), picture("chelsea")
    scene = segmenter.scene(content)
    assert segmenter.scene(content.clone()) is scene
    assert segmenter.scene(content.flip(-1)) is not scene
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
            for less, warns in ((0.01, True), (-0.01, False)):
                segmenter.presence = evidence[phrase] + allowance - less
                assert segmenter.scene(content).shows(phrase) == warns


def test_ablations_leave_out_one_cue_or_change_one_setting():
    segmenters = ablations()
    for cue in DEFAULT:
        left = [type(other) for other in segmenters[f"the cue {cue.__name__}"].cues]
        assert left == [other for other in DEFAULT if other is not cue]
    assert segmenters["nothing"].cues == BridgeSegmenter().cues
    for name in WITHOUT:
        assert [type(cue) for cue in segmenters[name].cues] == DEFAULT
    assert len(segmenters) == 1 + len(DEFAULT) + len(WITHOUT)


def picture(name: str) -> Tensor:
    """Picture of scikit-image, float32 (3, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(getattr(data, name)())).permute(2, 0, 1) / 255


def test_the_sky_reaches_down_to_the_ground():
    content = picture("rocket")
    height, width = content.shape[1:]
    mask = BridgeSegmenter().segment(content, "the night sky")
    assert mask.shape == (height, width) and mask.dtype == torch.float32
    assert mask.min() >= 0 and mask.max() <= 1
    sky, rocket = [(0.2, 0.3), (0.5, 0.7), (0.8, 0.4)], [(0.9, 0.5), (0.6, 0.5)]
    assert all(mask[int(y * height), int(x * width)] > 0.5 for y, x in sky)
    assert all(mask[int(y * height), int(x * width)] < 0.5 for y, x in rocket)


@pytest.mark.slow  # 11 s: a picture is segmented twice
def test_the_same_phrase_gives_the_same_mask_again():
    content = picture("coffee")
    masks = [BridgeSegmenter().segment(content, "cup") for _ in range(2)]
    assert torch.equal(*masks)


@pytest.mark.parametrize("phrase", ["banana", "elephant"])
def test_phrases_for_absent_objects_are_refused(phrase):
    with pytest.raises(AtelierError, match=f'"{phrase}" was not found.*--mask FILE'):
        BridgeSegmenter().segment(picture("rocket"), phrase)


@pytest.mark.parametrize("phrase", ["", "  "])
def test_empty_phrases_are_refused(phrase):
    with pytest.raises(AtelierError, match="--mask FILE"):
        BridgeSegmenter().segment(picture("rocket"), phrase)


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (50, 400), (400, 17)])
def test_pictures_of_any_size_are_segmented(size):
    content = torch.nn.functional.interpolate(picture("chelsea")[None], size=size, mode="area")[0]
    mask = BridgeSegmenter(presence=float("-inf")).segment(content, "cat")
    assert mask.shape == size
    assert 0 < mask.mean() <= 1


def test_a_picture_of_one_colour_is_taken_as_a_whole():
    mask = BridgeSegmenter(presence=float("-inf")).segment(torch.full((3, 64, 64), 0.5), "cat")
    assert torch.equal(mask, torch.ones(64, 64))


@pytest.mark.parametrize(
    ("phrase", "parts"),
    [
        (
            "the white sailboat on the sea",
            ("white sailboat on the sea", "white sailboat", "sailboat"),
        ),
        ("A cup of coffee.", ("cup of coffee.", "cup", "cup")),
        ("with", ("with", "with", "with")),
        ("Flower", ("flower", "flower", "flower")),
    ],
)
def test_a_phrase_is_split_into_nested_phrases(phrase, parts):
    assert nested_phrases(phrase) == parts


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("coffee", [(0.4, 0.5), (0.6, 0.3)], [(0.1, 0.05), (0.3, 0.95)]),
        ("chelsea", [(0.5, 0.3), (0.3, 0.4)], [(0.1, 0.95), (0.6, 0.97)]),
    ],
)
def test_the_salient_object_needs_no_phrase(name, inside, outside):
    content = picture(name)
    height, width = content.shape[1:]
    mask = SpectralSegmenter().segment(content, "")
    assert mask.shape == (height, width)
    assert mask.min() >= 0 and mask.max() <= 1
    assert all(mask[int(y * height), int(x * width)] > 0.5 for y, x in inside)
    assert all(mask[int(y * height), int(x * width)] < 0.5 for y, x in outside)


def test_a_picture_without_a_salient_object_is_refused():
    class Speck(DenseFeatures):
        """A map whose middle differs from all other places."""

        def __call__(self, picture):
            maps = torch.ones(2, 24, 24)
            maps[:, 12, 12] = torch.tensor([-1.0, 1.0])
            return maps

    grey = torch.full((3, 96, 96), 0.5)
    grey[:, 48:52, 48:52] = 1
    with pytest.raises(AtelierError, match="No object stands out"):
        SpectralSegmenter(Speck(), color_weight=0.0).segment(grey, "")


def test_the_affinity_is_the_sum_of_cosines_and_colour_neighbours():
    features = torch.randn(5, 3, 4, generator=torch.manual_seed(0))
    colours = np.random.default_rng(0).integers(0, 255, (3, 4, 3), dtype=np.uint8)

    def affinity(color_weight):
        segmenter = SpectralSegmenter(color_weight=color_weight, neighbours=3)
        return segmenter.affinity(features, colours)

    ours = affinity(0.5)
    flat = features.reshape(5, -1).numpy().astype(float)
    plain = affinity(0.0)
    for i in range(12):
        for j in range(12):
            a, b = flat[:, i], flat[:, j]
            cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            assert plain[i, j] == pytest.approx(max(0.0, cosine), abs=1e-6)
    joined = (ours - plain) / 0.5
    assert np.allclose(joined, joined.T)
    assert set(np.unique(joined.round(6))) == {0.0, 1.0}
    assert (joined.sum(1) >= 3).all()


def test_the_fiedler_vector_separates_two_groups():
    weights = np.full((9, 9), 0.01)
    weights[:4, :4] = weights[4:, 4:] = 1
    signs = np.sign(fiedler(weights))
    assert (signs[:4] == signs[0]).all()
    assert (signs[4:] == -signs[0]).all()
    # Against the definition: (D - W) y = mu D y with the second smallest mu.
    degrees = weights.sum(1)
    values, vectors = np.linalg.eig((np.diag(degrees) - weights) / degrees[:, None])
    second = vectors[:, np.argsort(values.real)[1]].real
    assert abs(np.corrcoef(second, fiedler(weights))[0, 1]) == pytest.approx(1)


def test_water_reaches_from_the_lower_edge_up_and_the_sky_from_the_upper_edge_down():
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[:25] = (90, 140, 220)
    picture[25:35, 20:60] = (120, 60, 30)  # a boat on the horizon
    picture[35:] = (20, 60, 90)
    scene = BridgeSegmenter(side=80).scene(to_tensor(picture))
    sea = Stuff().find(scene, "the calm sea").mask
    assert sea[40:].all()
    assert not sea[:34].any()
    assert Stuff().find(scene, "sky").mask[:20].all()
    assert Stuff().find(scene, "boat") is None


def test_leaves_are_the_places_with_their_colours_if_these_are_not_few():
    picture = np.full((60, 80, 3), (150, 90, 60), np.uint8)
    picture[20:40, 10:50] = 60, 110, 40
    leaves = Stuff().find(BridgeSegmenter(side=80).scene(to_tensor(picture)), "the green leaves")
    assert leaves.mask[22:38, 12:48].all() and not leaves.mask[:17].any()
    picture[20:40, 16:50] = 150, 90, 60
    assert Stuff().find(BridgeSegmenter(side=80).scene(to_tensor(picture)), "trees") is None


def test_a_person_without_a_visible_face_is_the_salient_region():
    grey = to_tensor(load_picture("skimage:camera"))
    mask = BridgeSegmenter().segment(grey, "the man")
    assert mask[430, 60] > 0.5 and mask[90, 210] > 0.5  # dark coat, dark hair
    assert not mask[:, 420:].any()  # lawn and houses


def test_the_background_is_what_is_neither_salient_nor_the_surest_thing():
    (cat,) = (case for case in cases("tune") if (case.picture, case.phrase) == ("chelsea", "cat"))
    background = BridgeSegmenter().segment(cat.content, "background")
    assert mask_iou(1 - background, cat.truth) > 0.9


def test_a_phrase_without_effect_gives_a_warning(caplog):
    assert WholePicture().segment(torch.rand(3, 40, 50), "cat").shape == (40, 50)
    assert "does not look for 'cat'" in caplog.text


def test_separated_masks_share_no_pixel():
    masks = torch.rand(3, 8, 9, generator=torch.manual_seed(0))
    apart = separate(masks, ["a", "b", "c"], [0, 1, 2])
    assert (apart <= masks).all()
    assert apart.sum(0).max() <= 1 + 1e-6
    smallest = masks.sum((1, 2)).argmin()
    assert torch.equal(apart[smallest], masks[smallest])
    torch.testing.assert_close(apart.sum(0) + rest(apart), torch.ones(8, 9))
