"""Metrics against closed forms, libraries and independent transcriptions, and their properties."""

import math
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)
from torchvision.transforms.functional import gaussian_blur

from datamodules.images import fit_within, load_picture, to_tensor
from datamodules.segmentation.base import ObjectNotFoundError, Segmenter
from datamodules.task import BACKGROUND, Area, Region
from evaluation.metrics.background import BAND, BackgroundPreservation, outside
from evaluation.metrics.base import PictureMetric, Pictures
from evaluation.metrics.change import Change
from evaluation.metrics.consistency import (
    SeedDirection,
    SeedDistance,
    direction_spread,
    pairwise_distance,
)
from evaluation.metrics.content_distance import ContentDistance, content_distance
from evaluation.metrics.losses import LossScores, area
from evaluation.metrics.mask_agreement import MaskAgreement
from evaluation.metrics.mesh import Mesh
from evaluation.metrics.perceptual import PairDistance
from evaluation.metrics.quality import Quality, blur, noise
from evaluation.metrics.scores import Score
from evaluation.metrics.structure import Structure
from evaluation.metrics.style import (
    GlobalStyle,
    PatchStyle,
    crop_boxes,
    cut_boxes,
    parts_of,
)
from evaluation.tables.meanings import judgements
from lightning_modules.encoders.base import JointEncoder
from lightning_modules.encoders.bridge import BridgeEncoder
from lightning_modules.losses.content import content_loss
from lightning_modules.losses.total_variation import total_variation
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures

SIZE = 96


class Colours(JointEncoder):
    """A joint space of mean colours, in which everything can be computed by hand."""

    image_size = 16
    identity = "colours"
    texts: ClassVar = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1)}

    def embed_images(self, images):
        return F.normalize(images.mean((2, 3)), dim=1)

    def text_features(self, texts):
        # Prompt templates hold the colour's name among other words; a photo is grey.
        answer = [next((c for c in self.texts if c in text), "") for text in texts]
        return F.normalize(
            torch.tensor([self.texts.get(c, (1, 1, 1)) for c in answer]).float(), dim=1
        )


class L1(PairDistance):
    identity = "l1"

    def forward(self, a, b):
        return (a - b).abs().mean((1, 2, 3))


class Bright(Segmenter):
    """Finds what is brighter than 0.5; a phrase "nothing" is nowhere."""

    def segment(self, content, phrase):
        answer = (content.mean(0) > 0.5).float()
        if phrase == "nothing" or not answer.any():
            raise ObjectNotFoundError("nowhere")
        return answer


@pytest.fixture
def content():
    torch.manual_seed(0)
    return 0.25 + 0.5 * torch.rand(2, 3, SIZE, SIZE)


@pytest.fixture
def mask():
    mask = torch.zeros(2, SIZE, SIZE)
    mask[0, :40, :40] = 1
    mask[1, 30:60, 20:70] = 0.5
    return mask


def red_in(mask, name="box", styles=((1.0, "red"),)):
    return tuple((Region(Area(name), styles, one),) for one in mask)


def one(values, name):
    return float(values[name].flatten()[0])


# --- background


def test_a_constant_offset_of_ten_grey_levels_is_28_13_db(content, mask):
    output = content + 10 / 255
    scores = BackgroundPreservation()(Pictures(content, output, mask))
    assert scores["background_psnr"].tolist() == pytest.approx([28.1308] * 2, abs=1e-3)
    assert scores["background_max_error"].tolist() == pytest.approx([10 / 255] * 2, abs=1e-6)
    assert scores["background_mean_error"].tolist() == pytest.approx([10 / 255] * 2, abs=1e-6)


def test_a_shifted_ramp_errs_by_its_slope(mask):
    ramp = torch.linspace(0, 1, SIZE).expand(1, 3, SIZE, SIZE)
    shifted = torch.cat([ramp[..., 1:], ramp[..., -1:]], dim=3)
    scores = BackgroundPreservation()(Pictures(ramp, shifted, mask[:1]))
    assert one(scores, "background_max_error") == pytest.approx(1 / (SIZE - 1), abs=1e-6)
    free = outside(mask[:1])[0]
    still = free[:, -1].sum() / free.sum()  # the last column has not moved
    expected = float((1 - still) / (SIZE - 1))
    assert one(scores, "background_mean_error") == pytest.approx(expected, abs=1e-6)


def test_background_scores_agree_with_the_library(content, mask):
    output = (content + 0.1 * torch.randn_like(content)).clamp(0, 1)
    scores = BackgroundPreservation()(Pictures(content, output, mask))
    for k in range(2):
        free = outside(mask)[k]
        psnr = peak_signal_noise_ratio(output[k, :, free], content[k, :, free], data_range=1.0)
        assert scores["background_psnr"][k] == pytest.approx(float(psnr), abs=1e-3)
    # Windows that lie in the background see nothing else: those of the part below the first mask.
    top = 40 + BAND
    alone = Pictures(content[:1], output[:1], mask[:1].index_fill(2, torch.arange(SIZE), 0))
    part = alone.mask.clone()
    part[:, : top - BAND] = 1
    ours = BackgroundPreservation()(Pictures(content[:1], output[:1], part))["background_ssim"]
    _, theirs = structural_similarity_index_measure(
        output[:1, :, top:], content[:1, :, top:], data_range=1.0, return_full_image=True
    )
    assert float(ours) == pytest.approx(float(theirs[:, :, 5:].mean()), abs=1e-4)


def test_what_happens_inside_the_mask_and_its_band_leaves_the_background_scores(content, mask):
    output = (content + 0.05 * torch.randn_like(content)).clamp(0, 1)
    free = outside(mask)[:, None]
    other = torch.where(free, output, torch.rand_like(output))
    metric = BackgroundPreservation()
    before = metric(Pictures(content, output, mask))
    after = metric(Pictures(content, other, mask))
    for name in ("background_max_error", "background_mean_error", "background_psnr"):
        assert torch.equal(before[name], after[name])
    assert torch.equal(before["background_ssim"], after["background_ssim"])


def test_the_band_is_as_wide_as_it_says():
    mask = torch.zeros(1, SIZE, SIZE)
    mask[0, 40, 40] = 0.01
    for band in (0, 3, 8):
        assert int((~outside(mask, band)).sum()) == (2 * band + 1) ** 2


def test_leakage_is_the_share_of_change_outside(content, mask):
    output = content.clone()
    output[0, :, 0, 0] += 0.2  # inside
    output[0, :, 90, 90] += 0.1  # outside
    leakage = BackgroundPreservation()(Pictures(content, output, mask))["leakage"]
    assert leakage.tolist() == pytest.approx([1 / 3, 0], abs=1e-4)
    composite = content + mask[:, None] * 0.2
    assert BackgroundPreservation()(Pictures(content, composite, mask))["leakage"].tolist() == [
        0,
        0,
    ]


def test_without_a_background_its_scores_are_undefined(content):
    scores = BackgroundPreservation()(Pictures(content, content, torch.ones(2, SIZE, SIZE)))
    assert all(values.isnan().all() for values in scores.values())


def test_change_tells_object_and_rest_apart(content):
    mask = torch.zeros(2, SIZE, SIZE)
    mask[:, :, :48] = 1
    output = content + 0.1 * mask[:, None]
    scores = Change()(Pictures(content, output, mask))
    assert scores["object_change"].tolist() == pytest.approx([0.1, 0.1], abs=1e-5)
    assert scores["rest_change"].tolist() == [0, 0]
    assert scores["mask_coverage"].tolist() == [0.5, 0.5]


# --- structure


def piqs(output, content):
    """piq's five measures of a whole picture."""
    import piq

    return {
        "haarpsi": piq.haarpsi(output, content),
        "fsim": piq.fsim(output, content),
        "vifp": piq.vif_p(output, content),
        "gmsd": piq.gmsd(output, content),
        "mdsi": piq.mdsi(output, content),
    }


def test_structure_of_a_whole_picture_is_piqs(content):
    output = (content + 0.1 * torch.randn_like(content)).clamp(0, 1)
    scores = Structure()(Pictures(content, output, torch.ones(2, SIZE, SIZE)))
    for k in range(2):
        for name, expected in piqs(output[k : k + 1], content[k : k + 1]).items():
            assert float(scores[f"object_{name}"][k]) == pytest.approx(float(expected), abs=1e-5)


def test_structure_of_a_region_is_piqs_of_the_content_with_that_change_alone(content):
    output = (content + 0.1 * torch.randn_like(content)).clamp(0, 1)
    mask = torch.zeros(1, SIZE, SIZE)
    mask[0, 20:60, 30:70] = 1
    scores = Structure()(Pictures(content[:1], output[:1], mask))
    before, after = content[:1, :, 12:68, 22:78], content[:1, :, 12:68, 22:78].clone()
    after[:, :, 8:48, 8:48] = output[:1, :, 20:60, 30:70]
    for name, expected in piqs(after, before).items():
        assert float(scores[f"object_{name}"]) == pytest.approx(float(expected), abs=1e-5)
    around = output[:1].clone()
    around[:, :, 12:68, 22:78] = before
    for name, expected in piqs(around, content[:1]).items():
        assert float(scores[f"background_{name}"]) == pytest.approx(float(expected), abs=1e-5)


# --- style


def test_crops_are_where_the_region_is_and_as_large_as_the_protocol_says():
    mask = torch.zeros(200, 512)
    mask[50:150, 300:450] = 1
    boxes = crop_boxes(mask, 64, 64 / 512, 224 / 512, seed=0)
    left, top, right, bottom = boxes.T
    assert boxes.shape == (64, 4)
    assert (left >= 0).all() and (top >= 0).all() and (right <= 512).all() and (bottom <= 200).all()
    sides = right - left
    assert torch.equal(sides, bottom - top)
    assert int(sides.min()) >= 25 and int(sides.max()) <= 88
    covered = [float(mask[y0:y1, x0:x1].mean()) for x0, y0, x1, y1 in boxes.tolist()]
    assert min(covered) >= 0.5
    assert torch.equal(boxes, crop_boxes(mask, 64, 64 / 512, 224 / 512, seed=0))
    assert not torch.equal(boxes, crop_boxes(mask, 64, 64 / 512, 224 / 512, seed=1))


def test_crops_of_a_thin_object_are_those_that_show_most_of_it():
    mask = torch.zeros(128, 128)
    mask[60:64] = 1
    boxes = crop_boxes(mask, 16, 0.25, 0.25, seed=0)
    assert all(float(mask[y0:y1, x0:x1].mean()) == 4 / 32 for x0, y0, x1, y1 in boxes.tolist())


def test_crops_of_the_whole_picture_are_spread_over_it():
    left, top = crop_boxes(torch.ones(256, 256), 512, 0.25, 0.25, seed=0).T[:2].float()
    for values in (left, top):
        assert abs(float(values.mean()) - 96) < 8
        assert abs(float(values.std()) - 192 / math.sqrt(12)) < 6


def test_a_cut_at_its_own_size_is_the_picture_itself(content):
    boxes = torch.tensor([[3, 5, 35, 37], [60, 60, 92, 92]])
    cuts = cut_boxes(content[0], boxes, 32)
    assert torch.allclose(cuts[0], content[0, :, 5:37, 3:35], atol=1e-6)
    assert torch.allclose(cuts[1], content[0, :, 60:92, 60:92], atol=1e-6)
    halves = cut_boxes(content[0], boxes, 16)
    assert torch.allclose(halves[0], F.avg_pool2d(content[0, :, 5:37, 3:35], 2), atol=1e-6)


def test_style_scores_by_hand(content, mask):
    mask = (mask > 0.4).float()
    grey = torch.full_like(content, 0.5)
    output = torch.where(mask[:, None] > 0, torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1), grey)
    pictures = Pictures(grey, output, mask, red_in(mask))
    scores = GlobalStyle(Colours())(pictures)
    assert scores["style_global.colours"].tolist() == pytest.approx([1, 1], abs=1e-5)
    before = scores["style_global_before.colours"]
    assert before.tolist() == pytest.approx([3**-0.5] * 2, abs=1e-5)
    assert scores["style_global_background.colours"].tolist() == pytest.approx(before.tolist())
    # Not to the last digit: "rendered" in a prompt template is red to this encoder, too.
    assert scores["style_direction.colours"].tolist() == pytest.approx([1, 1], abs=1e-3)
    assert scores["style_direction_background.colours"].tolist() == pytest.approx([0, 0], abs=1e-5)
    assert scores["own_style_global.colours"].isnan().all()


def test_patch_style_is_the_mean_cosine_of_its_crops(content, mask):
    pictures = Pictures(content, content, mask, red_in(mask))
    metric = PatchStyle(Colours(), crops=8, smallest=128, largest=128, seed=3)
    answer = one(metric(pictures), "style_patch.colours")
    cosines = []
    for x0, y0, x1, y1 in crop_boxes(mask[0], 8, 0.25, 0.25, seed=3).tolist():
        red, green, blue = content[0, :, y0:y1, x0:x1].mean((1, 2)).tolist()
        cosines.append(red / math.sqrt(red**2 + green**2 + blue**2))
    assert answer == pytest.approx(sum(cosines) / 8, abs=1e-3)


def test_a_background_with_a_style_of_its_own_is_compared_with_that(content):
    left = torch.zeros(SIZE, SIZE)
    left[:, :48] = 1
    regions = (
        Region(Area("box"), ((1.0, "red"),), left),
        Region(Area(BACKGROUND), ((1.0, "blue"),), 1 - left),
    )
    output = torch.zeros(1, 3, SIZE, SIZE)
    output[0, 0, :, :48] = 1
    output[0, 2, :, 48:] = 1
    whole = torch.ones(1, SIZE, SIZE)
    scores = GlobalStyle(Colours())(Pictures(content[:1], output, whole, (regions,)))
    assert one(scores, "style_global.colours") == pytest.approx(1)
    assert one(scores, "style_global_background.colours") == pytest.approx(1)


def test_a_blend_counts_by_its_weights(mask):
    output = torch.zeros(2, 3, SIZE, SIZE)
    output[:, 0] = 1
    styles = ((3.0, "red"), (1.0, "green"))
    scores = GlobalStyle(Colours())(Pictures(output, output, mask, red_in(mask, styles=styles)))
    assert one(scores, "style_global.colours") == pytest.approx(0.75)
    assert one(scores, "style_direction.colours") == 0  # nothing has moved


def test_pictures_without_a_style_text_have_no_style_score(content, mask):
    scores = PatchStyle(Colours())(Pictures(content, content, mask))
    assert all(values.isnan().all() for values in scores.values())


def test_the_encoder_that_was_optimised_is_named_as_its_own_judge(content, mask):
    metric, mask = GlobalStyle(Colours()), mask.ceil()
    own = Pictures(content, content, mask, red_in(mask), encoder="colours")
    scores = metric(own)
    assert scores["style_global.colours"].isnan().all()
    assert scores["own_style_global.colours"].isfinite().all()
    assert metric.applies("own_style_global", own)
    assert not metric.applies("style_global", own)
    other = Pictures(content, content, mask, red_in(mask), encoder="bridge-lite0")
    assert metric.applies("style_global", other)
    values = {"style_global.a": 0.5, "own_style_global.b": 0.7, "style_global_before.a": 0.1}
    assert judgements(values, "style_global") == {"a": 0.5}
    assert judgements(values, "own_style_global") == {"b": 0.7}


def test_a_region_that_the_mask_leaves_empty_is_not_looked_at(content):
    empty = torch.zeros(2, SIZE, SIZE)
    full = torch.ones(2, SIZE, SIZE)
    assert [
        part.background for part in parts_of(Pictures(content, content, full, red_in(full)))
    ] == [
        False,
        False,
    ]
    assert all(
        part.background for part in parts_of(Pictures(content, content, empty, red_in(empty)))
    )


def test_the_two_embedded_judges_are_two_networks():
    cup = to_tensor(load_picture("skimage:coffee"))
    towers = [BridgeEncoder(128, "lite0"), BridgeEncoder(224, "lite2")]
    assert [tower.identity for tower in towers] == ["bridge-lite0", "bridge-lite2"]
    for tower in towers:
        embedding = tower.embed_images(tower.view(cup[None]))
        coffee, truck = (tower.embed_texts(["coffee", "a truck"]) @ embedding[0]).tolist()
        assert -1 <= truck < coffee - 0.1 <= 1


# --- fidelity, losses, consistency, quality


def test_content_distance_is_the_papers_loss_where_the_mask_is_full(content):
    torch.manual_seed(1)
    features, output = EfficientNetFeatures(), torch.rand_like(content)
    full = torch.ones(2, SIZE, SIZE)
    answer = ContentDistance(features)(Pictures(content, output, full))
    for k in range(2):
        expected = content_loss(features(output[k : k + 1]), features(content[k : k + 1]))
        value = float(answer["object_content_distance.lite0"][k])
        assert value == pytest.approx(float(expected), rel=1e-4)


def test_content_distance_by_hand():
    before, after = torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 4, 4)
    after[0, :, :2] = 2.0
    after[0, :, 2:] = 7.0
    mask = torch.zeros(1, 8, 8)
    mask[0, :4] = 1
    assert content_distance([after], [before], mask).tolist() == [4]
    assert content_distance([after], [before], torch.zeros(1, 8, 8)).isnan().all()


def test_mask_agreement_asks_whether_it_is_still_a_boat():
    content = torch.zeros(4, 3, SIZE, SIZE)
    content[:, :, :48] = 1
    output = content.clone()
    output[1, :, 24:] = 0  # half of it is left
    output[2] = 0  # gone
    mask = content[:, 0]
    names = ("boat", "boat", "boat", "nothing")
    regions = tuple((Region(Area(name), (), one),) for name, one in zip(names, mask, strict=True))
    answer = MaskAgreement(Bright())(Pictures(content, output, mask, regions))
    values = answer["mask_agreement.Bright"]
    assert values[:3].tolist() == [1, 0.5, 0]
    assert values[3].isnan()


def test_a_content_image_is_segmented_once_for_all_its_outputs():
    means = []

    class Counting(Bright):
        def segment(self, content, phrase):
            means.append(float(content.mean()))
            return super().segment(content, phrase)

    content = torch.ones(3, 3, SIZE, SIZE)
    content[2] = 0.9
    output = content - torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1, 1)
    regions = tuple((Region(Area("boat"), (), one),) for one in content[:, 0])
    metric = MaskAgreement(Counting())
    for part in (slice(0, 1), slice(1, 3)):
        metric(Pictures(content[part], output[part], content[part, 0], regions[part]))
    assert sorted(means) == pytest.approx([0.6, 0.8, 0.9, 0.9, 1.0])


def test_the_area_under_a_curve_by_hand():
    assert area({0: 1.0, 10: 3.0}) == 2
    assert area({20: 0.0, 0: 4.0, 10: 2.0, 30: 0.0}) == pytest.approx(40 / 30)


def test_losses_are_clipstylers_and_the_same_for_every_method(content, mask):
    features, encoder = EfficientNetFeatures(), BridgeEncoder(64)
    metric = LossScores(encoder, features, patches=4)
    output = (content * 0.5).clamp(0, 1)
    course = ({20: content[0], 40: output[0]}, {})
    regions = red_in(mask, styles=((1.0, "fire"),))
    scores = metric(Pictures(content, output, mask, regions, course=course))
    values = {name.split(".")[0]: value for name, value in scores.items()}
    expected = content_loss(features(output[:1]), features(content[:1]))
    assert float(values["loss_content"][0]) == pytest.approx(float(expected), rel=1e-4)
    expected = total_variation(output[1:])
    assert float(values["loss_tv"][1]) == pytest.approx(float(expected), rel=1e-5)
    at_start = 1.0  # the content itself has no direction
    expected = (at_start + float(values["loss_global"][0])) / 2
    assert float(values["loss_global_area"][0]) == pytest.approx(expected, abs=1e-4)
    assert values["loss_content_area"][1].isnan()  # nothing was kept
    again = metric(Pictures(content, output, mask, regions, encoder="any", course=course))
    assert all(torch.equal(again[k], v) or v.isnan().any() for k, v in scores.items())


def test_consistency_closed_forms(content):
    axes = torch.eye(3)
    assert float(direction_spread(axes[[0, 0, 0]])) == pytest.approx(0, abs=1e-6)
    assert float(direction_spread(axes)) == pytest.approx(1)
    assert float(direction_spread(torch.stack([axes[0], -2 * axes[0]]))) == pytest.approx(2)
    assert direction_spread(axes[:1]).isnan()
    greys = torch.tensor([0.0, 0.1, 0.4]).view(3, 1, 1, 1).expand(3, 3, SIZE, SIZE)
    assert float(pairwise_distance(greys, L1())) == pytest.approx((0.1 + 0.4 + 0.3) / 3)
    assert pairwise_distance(greys[:1], L1()).isnan()
    same = Pictures(content[[0, 0]], content[[1, 1]], torch.ones(2, SIZE, SIZE))
    assert SeedDistance(L1())(same)["seed_distance.l1"].tolist() == [0, 0]
    spread = SeedDirection(Colours())(same)["seed_direction_spread.colours"]
    assert spread.tolist() == pytest.approx([0, 0], abs=1e-5)


def test_blur_and_noise_measure_what_they_are_named_after():
    sharp = to_tensor(fit_within(load_picture("skimage:coffee"), 256))
    blurred = [gaussian_blur(sharp, 15, sigma) for sigma in (1.0, 2.0, 4.0)]
    values = [blur(image) for image in (sharp, *blurred)]
    assert values == sorted(values)
    assert 0 <= values[0] < values[-1] <= 1
    torch.manual_seed(0)
    grey = torch.full((3, 256, 256), 0.5)
    for sigma in (0.02, 0.08):
        assert noise(grey + sigma * torch.randn(3, 256, 256)) == pytest.approx(sigma, rel=0.05)
    scores = Quality()(Pictures(sharp[None], blurred[2][None], torch.ones(1, *sharp.shape[1:])))
    assert one(scores, "blur") == pytest.approx(values[-1])
    assert one(scores, "blur_before") == pytest.approx(values[0])


# --- mesh

ROWS, COLUMNS = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
SMOOTH = (0.5 + 0.3 * torch.sin(ROWS / 40 + COLUMNS / 25)).expand(1, 3, SIZE, SIZE)
WHOLE = torch.ones(1, SIZE, SIZE)


def mesh_of(output, content=SMOOTH, mask=WHOLE):
    return one(Mesh()(Pictures(content, output, mask)), "mesh")


@pytest.mark.parametrize("phase", [ROWS, COLUMNS, ROWS + COLUMNS], ids=["rows", "columns", "both"])
def test_stripes_and_a_checkerboard_have_their_amplitude_as_mesh(phase):
    pattern = 1.0 - 2 * (phase % 2)
    assert mesh_of(SMOOTH + 6 / 255 * pattern) == pytest.approx(6, abs=1e-2)
    red = torch.tensor([1.0, 0, 0]).view(3, 1, 1)
    assert mesh_of(SMOOTH + 6 / 255 * red * pattern) == pytest.approx(6 / 3**0.5, abs=1e-2)


def test_smooth_pictures_and_oblique_strokes_have_no_mesh_nor_has_a_texture_of_the_content(content):
    assert mesh_of(SMOOTH.flip(3)) == pytest.approx(0, abs=1e-2)
    strokes = torch.sin(2.2 * ROWS + 1.4 * COLUMNS)  # a period of 2.4 px
    assert mesh_of(SMOOTH + 0.1 * strokes) == pytest.approx(0, abs=1e-2)
    striped = SMOOTH + 0.1 * (ROWS % 2)
    assert mesh_of(striped, striped) == 0
    assert mesh_of(content[:1], content[:1]) == 0


def test_the_mesh_is_measured_in_the_object_alone_and_needs_room_for_a_window():
    half = WHOLE * (COLUMNS < 48)
    striped = SMOOTH + 0.1 * (ROWS % 2)
    assert mesh_of(torch.where(half > 0, SMOOTH, striped), mask=half) < 1e-2
    assert mesh_of(torch.where(half > 0, striped, SMOOTH), mask=half) == pytest.approx(12.75, 1e-2)
    assert math.isnan(mesh_of(striped, mask=WHOLE * (COLUMNS < 31)))
    tiny = torch.rand(1, 3, 20, 90)
    assert math.isnan(mesh_of(tiny, tiny, torch.ones(1, 20, 90)))


def power_by_hand(picture, inside):
    """P_c(f) as in the docstring, with a DFT by its sum."""
    r, g, b = 255 * picture.astype(float)
    colours = np.stack([(r + g + b) / 3**0.5, (r - g) / 2**0.5, (r + g - 2 * b) / 6**0.5])
    n = np.arange(32)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * n / 32)
    wave = np.exp(-2j * np.pi * np.outer(n, n) / 32)
    powers = []
    for y in range(0, SIZE - 31, 16):
        for x in range(0, SIZE - 31, 16):
            if inside[y : y + 32, x : x + 32].all():
                square = colours[:, y : y + 32, x : x + 32]
                square = (square - square.mean((1, 2), keepdims=True)) * np.outer(hann, hann)
                powers.append(abs(wave @ square @ wave) ** 2)
    return np.mean(powers, 0) / 32**2 / (hann**2).sum() ** 2


def excess_by_hand(picture, inside):
    along, oblique = [], []
    power = power_by_hand(picture, inside)
    for y in range(-16, 16):
        for x in range(-16, 16):
            small, large = sorted([abs(x), abs(y)])
            if (large > 10 and small < 3) or small > 14:
                along.append(power[:, y, x])
            elif small > 3 and 32 / 3 <= math.hypot(x, y) <= 16:
                oblique.append(power[:, y, x])
    return np.maximum(0, np.sum(along, 0) - len(along) * np.mean(oblique, 0))


def test_the_mesh_follows_its_formula(content):
    grid = torch.tensor([1.0, 0.5, -0.2]).view(3, 1, 1) * torch.cos(2.9 * ROWS)
    output = (content[:1] + 0.2 * grid * (COLUMNS > 30)).clamp(0, 1)
    inside = ROWS > 20
    after, before = (excess_by_hand(x[0].numpy(), inside.numpy()) for x in (output, content[:1]))
    expected = np.sqrt(np.maximum(0, after - before).sum() / 3)
    assert expected > 5
    assert mesh_of(output, content[:1], WHOLE * inside) == pytest.approx(expected, rel=1e-4)


# --- all of them

METRICS = {
    "background": BackgroundPreservation,
    "change": Change,
    "quality": Quality,
    "structure": Structure,
    "mesh": Mesh,
    "style": lambda: GlobalStyle(Colours()),
    "patch": lambda: PatchStyle(Colours(), crops=4),
    "content": lambda: ContentDistance(EfficientNetFeatures()),
    "agreement": lambda: MaskAgreement(Bright()),
    "losses": lambda: LossScores(Colours(), EfficientNetFeatures(), patches=4),
    "seeds": lambda: SeedDistance(L1()),
    "directions": lambda: SeedDirection(Colours()),
}
OVER_SEEDS = ("seeds", "directions")  # which compare a picture with the others


@pytest.mark.parametrize("name", METRICS)
def test_every_value_is_in_its_declared_range(name, content, mask):
    metric = METRICS[name]()
    torch.manual_seed(2)
    answer = metric(Pictures(content, torch.rand_like(content), mask, red_in(mask)))
    assert answer.keys() == set(map(metric.column, metric.scores))
    for score, meaning in metric.scores.items():
        values = answer[metric.column(score)]
        finite = values[~values.isnan()]
        assert values.shape == (2,)
        assert ((finite >= meaning.low - 1e-5) & (finite <= meaning.high + 1e-5)).all(), score
        assert meaning.source


@pytest.mark.parametrize("name", [name for name in METRICS if name not in OVER_SEEDS])
def test_pictures_one_by_one_have_the_values_that_they_have_together(name, content, mask):
    metric = METRICS[name]()
    torch.manual_seed(2)
    pictures = Pictures(content, torch.rand_like(content), mask, red_in(mask))
    expected = metric(pictures)
    metric.reset()
    for k in range(2):
        part = slice(k, k + 1)
        metric.update(
            Pictures(content[part], pictures.output[part], mask[part], pictures.regions[part])
        )
    for score, values in metric.compute().items():
        assert torch.allclose(values, expected[score], atol=1e-4, rtol=1e-4, equal_nan=True), score


PERFECT = {
    "background_max_error": 0,
    "background_mean_error": 0,
    "background_psnr": 100,
    "background_ssim": 1,
    "leakage": 0,
    "object_change": 0,
    "rest_change": 0,
    "object_content_distance.lite0": 0,
    "object_haarpsi": 1,
    "object_fsim": 1,
    "object_vifp": 1,
    "object_gmsd": 0,
    "object_mdsi": 0,
    "background_haarpsi": 1,
    "background_fsim": 1,
    "background_vifp": 1,
    "background_gmsd": 0,
    "background_mdsi": 0,
    "mask_agreement.Bright": 1,
    "seed_distance.l1": 0,
    "loss_content.colours+lite0": 0,
}


@pytest.mark.parametrize(
    "name", ["background", "change", "content", "agreement", "losses", "structure"]
)
def test_identical_pictures_are_perfect(name, content, mask):
    scores = METRICS[name]()(Pictures(content, content, mask, red_in(mask)))
    checked = scores.keys() & PERFECT.keys()
    assert checked
    for score in checked:
        assert scores[score].tolist() == pytest.approx([PERFECT[score]] * 2, abs=1e-5), score


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"output": torch.rand(2, 3, SIZE, SIZE + 1)}, "do not belong together"),
        ({"mask": torch.rand(1, SIZE, SIZE)}, "do not belong together"),
        ({"output": torch.full((2, 3, SIZE, SIZE), math.nan)}, "output has values"),
        ({"content": torch.full((2, 3, SIZE, SIZE), 1.5)}, "content has values"),
        ({"mask": torch.full((2, SIZE, SIZE), -0.5)}, "mask has values"),
    ],
)
def test_what_is_no_batch_of_pictures_is_refused(settings, words, content, mask):
    with pytest.raises(ValueError, match=words):
        Pictures(**{"content": content, "output": content, "mask": mask, **settings})


def test_a_direction_is_declared_where_all_scores_share_it():
    class Two(PictureMetric):
        scores: ClassVar = {"a": Score(True, 0, 1, "-"), "b": Score(True, 0, 1, "-")}

        def score(self, pictures):
            return {}

    assert Two.higher_is_better is True
    assert BackgroundPreservation.higher_is_better is None
    assert ContentDistance.higher_is_better is False
