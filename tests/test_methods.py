"""Every method against a slow transcription of its formulas, and in the direction of its effects.

On a small picture with the real encoder. The transcriptions embed one picture at a time and compute
in float64 with numpy.
"""

import re
from dataclasses import asdict, replace
from functools import partial
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from datamodules.images import fit_within, load_picture, to_tensor
from datamodules.support.errors import AtelierError
from datamodules.task import BACKGROUND, StyleTarget, StyleTask
from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.fusion import Fusion
from lightning_modules.gatys import Gatys
from lightning_modules.generative_artisan import ArtisanDeviations, GenerativeArtisan
from lightning_modules.generators.pixels import Pixels
from lightning_modules.optimizers.schedules import Halving, Linear
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures
from lightning_modules.sem_cs import SemCS
from lightning_modules.soulstyler import Likeness, Soulstyler
from lightning_modules.steps.blending import Blending
from lightning_modules.steps.directions import blend_direction, embed_prompted, picture_direction
from lightning_modules.steps.patches import Patches, cut, draw, random_corners
from lightning_modules.stylization import Features
from tests.support.methods import WEIGHTS, Bridge, adam, batch_of, build, build_tiny, optimise
from tests.support.tiny import TinyFeatures

MODES = pytest.mark.parametrize("mode", ["paper", "reference"])


# The transcription: one picture at a time, float64.


def embed(method, picture):
    """E_I of one picture (3, H, W), as numbers."""
    with torch.no_grad():
        return method.encoder.embed_images(method.encoder.view(picture[None]))[0].double().numpy()


def text_direction(method, style, source="a Photo"):
    texts = [embed_prompted(method.encoder, t).double().numpy() for t in (style, source)]
    return texts[0] - texts[1]


def directional(picture, source, direction):
    moved = picture - source
    return 1 - moved @ direction / (np.linalg.norm(moved) * np.linalg.norm(direction))


def rejected(loss, tau, mode):
    if mode == "paper":
        return 0.0 if loss <= tau else loss
    return 0.0 if loss < tau else loss


def patches_of(method, output, parts):
    """The boxes of the step that follows this seed, and each patch's embedding."""
    random, patches, places = method.random.manual_seed(7), [], draw(parts, method.random)
    for side, boxes in places:
        corners = random_corners(len(boxes), method.patches.distortion, random=random)
        pairs = zip(boxes.split(1), corners.split(1), strict=True)
        patches += [cut(output, *pair, side, method.encoder.image_size) for pair in pairs]
    with torch.no_grad():
        embedded = [method.encoder.embed_images(p)[0].double().numpy() for p in patches]
    return [box for _, boxes in places for box in boxes.int().tolist()], embedded


def losses_of(method, output, batch):
    method.random.manual_seed(7)
    with torch.no_grad():
        embeddings = method.viewer.embed(method.views(output, batch))
        features = Features(embeddings, method.content_features(output))
        return {name: float(loss) for name, loss in method.losses(output, features, batch).items()}


def check_kept(method, losses, output, content, mode):
    """The content loss, and total variation in the form that belongs to the mode."""
    features = method.content_features
    pairs = zip(features(output), features(content[None]), strict=True)
    assert losses["content"] == pytest.approx(
        sum(float(((a - b).double() ** 2).mean()) for a, b in pairs), rel=1e-4
    )
    x = output[0].double().numpy()
    right, down = x[:, :, 1:] - x[:, :, :-1], x[:, 1:] - x[:, :-1]
    if mode == "paper":
        expected = (right**2).sum() + (down**2).sum()
    else:
        falling, rising = x[:, 1:, 1:] - x[:, :-1, :-1], x[:, 1:, :-1] - x[:, :-1, 1:]
        expected = sum(np.sqrt((d**2).sum()) for d in (right, down, falling, rising))
    assert losses["tv"] == pytest.approx(expected, rel=1e-4)


@MODES
def test_clipstyler_by_its_formulas(mode, content, left, output):
    method, batch = build(CLIPstyler, mode=mode, tau=1.15), batch_of(content, [left], "fire")
    method.prepare(batch)
    _, patches = patches_of(method, output, method.parts)
    source, direction = embed(method, content), text_direction(method, "fire")
    each = [directional(patch, source, direction) for patch in patches]
    assert min(each) < 1.15 < max(each)
    losses = losses_of(method, output, batch)
    assert losses["patch"] == pytest.approx(np.mean([rejected(s, 1.15, mode) for s in each]), 1e-4)
    whole = directional(embed(method, output[0]), source, direction)
    assert losses["global"] == pytest.approx(whole, rel=1e-4)
    check_kept(method, losses, output, content, mode)


@MODES
def test_generative_artisan_by_its_formulas(mode, content, left, output):
    settings = {"tau_portrait": 1.14, "tau_back": 1.15, "alpha_portrait": 0.3, "alpha_back": 0.9}
    deviations = ArtisanDeviations(misplaced_weights=False)
    method = build(GenerativeArtisan, mode=mode, deviations=deviations, **settings)
    background = 1 - left  # the portrait is the left half, eq. 22
    batch = batch_of(content, [background], "fire")
    method.prepare(batch)
    boxes, patches = patches_of(method, output, method.parts)
    source, direction = embed(method, content), text_direction(method, "fire")
    total, on_portrait = 0.0, 0
    for (x, y, size), patch in zip(boxes, patches, strict=True):
        strip = round(0.2 * size)
        portrait = bool((left[y + size - strip : y + size, x : x + size] > 0).any())
        on_portrait += portrait
        tau, alpha = (1.14, 0.3) if portrait else (1.15, 0.9)
        total += alpha * rejected(directional(patch, source, direction), tau, mode)
    assert on_portrait == 2  # 20% of 10
    losses = losses_of(method, output, batch)
    assert losses["patch"] == pytest.approx(total / len(boxes), rel=1e-4)
    masked = directional(
        embed(method, output[0] * background), embed(method, content * background), direction
    )
    assert losses["global"] == pytest.approx(masked, rel=1e-4)
    check_kept(method, losses, output, content, mode)


def test_misplaced_weights_are_the_same_weights_on_other_patches(content, left, output):
    settings = {"tau_portrait": 0.0, "tau_back": 0.0, "alpha_portrait": 0.3, "alpha_back": 0.9}
    method = build(GenerativeArtisan, mode="reference", **settings)
    assert method.deviations.misplaced_weights
    batch = batch_of(content, [1 - left], "fire")
    method.prepare(batch)
    _, patches = patches_of(method, output, method.parts)
    source, direction = embed(method, content), text_direction(method, "fire")
    each = [directional(patch, source, direction) for patch in patches]
    # Two of the ten have the portrait's weight: the first two, or any other two.
    spared = {pair: 0.6 * (each[pair[0]] + each[pair[1]]) for pair in combinations(range(10), 2)}
    losses = {pair: (0.9 * sum(each) - less) / 10 for pair, less in spared.items()}
    misplaced = losses_of(method, output, batch)["patch"]
    nearest = min(losses, key=lambda pair: abs(losses[pair] - misplaced))
    assert nearest != (0, 1)
    assert misplaced == pytest.approx(losses[nearest], rel=1e-6)
    method.deviations = replace(method.deviations, misplaced_weights=False)
    assert losses_of(method, output, batch)["patch"] == pytest.approx(losses[0, 1], rel=1e-6)


@MODES
@pytest.mark.parametrize("double", [False, True])
def test_sem_cs_by_its_algorithm(mode, double, content, left, output):
    method = build(SemCS, mode=mode, tau=1.15)
    texts = ("fire", "ice") if double else ("fire", "fire")
    regions = ([left, 1 - left], "fire", "ice") if double else ([left], "fire")
    batch = batch_of(content, *regions)
    method.prepare(batch)
    directions = [text_direction(method, text) for text in texts]

    def source(picture):
        vector = embed(method, picture)
        return np.exp(vector) / np.exp(vector).sum() if mode == "reference" else vector

    losses = losses_of(method, output, batch)
    for name, mask, direction in zip(
        ("foreground", "background"), (left, 1 - left), directions, strict=True
    ):
        compared = source(content * mask if mode == "reference" else content)
        expected = directional(embed(method, output[0] * mask), compared, direction)
        counts = double or name == "background"
        assert losses[name] == pytest.approx(expected if counts else 0.0, rel=1e-4)

    boxes, patches = patches_of(method, output, method.parts)
    total, inside = 0.0, 0
    for (x, y, size), patch in zip(boxes, patches, strict=True):
        on_object = float(left[y : y + size, x : x + size].mean()) >= 0.5
        inside += on_object
        direction = directions[0 if on_object and mode == "paper" else 1]
        total += rejected(directional(patch, source(content), direction), 1.15, mode)
    assert 0 < inside < len(boxes)
    assert losses["patch"] == pytest.approx(total / len(boxes), rel=1e-4)
    check_kept(method, losses, output, content, mode)


@MODES
def test_soulstyler_by_its_formulas(mode, content, left, output):
    # Distances in the embedded space are not CLIP's: here some crops of this picture qualify.
    likeness = Likeness(far=0.3, near=0.6)
    method = build(Soulstyler, mode=mode, tau=1.15, pool=40, likeness=likeness, blending=Blending())
    batch = batch_of(content, [left], "fire")
    method.prepare(batch)
    targets, alike = method.parts
    assert (targets.count, alike.count, method.anchors.count) == (10, 1, 10)
    boxes, patches = patches_of(method, output, method.parts)
    for index, (x, y, size) in enumerate(boxes):
        covered = float(left[y : y + size, x : x + size].mean())
        assert covered >= 0.8 - 1e-6 if index < 10 else covered < 0.1
    source, direction = embed(method, content), text_direction(method, "fire")
    each = [rejected(directional(p, source, direction), 1.15, mode) for p in patches]
    # The step's own boxes: the seed goes on from patches.
    held = [box for _, boxes in method.anchors.draw(method.random) for box in boxes.int().tolist()]
    losses = losses_of(method, output, batch)
    assert losses["patch"] == pytest.approx(np.mean(each), rel=1e-4)
    background = 0.0
    for x, y, size in held:
        assert float(left[y : y + size, x : x + size].mean()) < 0.1
        a, b = (p[:, y : y + size, x : x + size].double() for p in (output[0], content))
        background += float(((a - b) ** 2).mean())
    assert losses["background"] == pytest.approx(background, rel=1e-4)
    whole = directional(embed(method, output[0]), source, direction)
    assert losses["global"] == pytest.approx(0.0 if mode == "reference" else whole, rel=1e-4)
    check_kept(method, losses, output, content, mode)


@MODES
def test_fusion_shares_patches_and_directions_out(mode, content, left, output):
    method = build(Fusion, mode=mode, tau=1.15, blending=Blending())
    batch = batch_of(content, [left, 1 - left], "fire", "ice")
    method.prepare(batch)
    boxes, patches = patches_of(method, output, method.parts)
    source = embed(method, content)
    directions = [text_direction(method, text) for text in ("fire", "ice")]
    total = 0.0
    for index, ((x, y, size), patch) in enumerate(zip(boxes, patches, strict=True)):
        on_left = float(left[y : y + size, x : x + size].mean()) >= 0.5
        assert on_left == (index < 5)
        direction = directions[0 if on_left else 1]
        total += rejected(directional(patch, source, direction), 1.15, mode)
    losses = losses_of(method, output, batch)
    assert losses["patch"] == pytest.approx(total / 10, rel=1e-4)
    whole = [
        directional(embed(method, content + mask * (output[0] - content)), source, direction)
        for mask, direction in zip((left, 1 - left), directions, strict=True)
    ]
    assert losses["global"] == pytest.approx(np.mean(whole), rel=1e-4)
    check_kept(method, losses, output, content, mode)


def test_gatys_by_its_formulas(content, left, output):
    features = EfficientNetFeatures(blocks=[0, 4])
    method = build(Gatys, style_features=features, brush=1.0)
    style = to_tensor(fit_within(load_picture("skimage:coffee"), 96))
    task = StyleTask.of(
        content, (StyleTarget("", ""),), torch.ones_like(left)[None], style_image=style
    )
    batch = task.batch()
    method.prepare(batch)
    scaled = method._scaled(batch)
    assert min(scaled.shape[2:]) == min(content.shape[1:])
    expected = 0.0
    for a, b in zip(features(output), features(scaled), strict=True):
        grams = []
        for maps in (a[0].double().numpy(), b[0].double().numpy()):
            flat = maps.reshape(len(maps), -1)
            grams.append(np.einsum("ci,di->cd", flat, flat) / flat.size)
        expected += ((grams[0] - grams[1]) ** 2).sum()
    assert losses_of(method, output, batch)["gram"] == pytest.approx(expected, rel=1e-3)


# Directions and switches.


def test_a_blend_is_the_weighted_sum_of_its_directions(content):
    encoder = Bridge()
    source = embed_prompted(encoder, "a Photo")
    mixed = blend_direction(encoder, ((0.7, "fire"), (0.3, "ice")), source).double().numpy()
    units = []
    for text in ("fire", "ice"):
        moved = (embed_prompted(encoder, text) - source).double()
        units.append((moved / moved.norm()).numpy())
    expected = 0.7 * units[0] + 0.3 * units[1]
    np.testing.assert_allclose(mixed, expected / np.linalg.norm(expected), atol=1e-5)
    alone = blend_direction(encoder, ((0.2, "fire"),), source)
    np.testing.assert_allclose(alone.double().numpy(), units[0], atol=1e-5)


def test_a_style_picture_points_away_from_the_content_towards_itself(content):
    encoder = Bridge()
    coffee, rocket = (
        to_tensor(fit_within(load_picture(f"skimage:{name}"), 96))[None]
        for name in ("coffee", "rocket")
    )
    towards = picture_direction(encoder, coffee, content[None])
    source = encoder.embed_images(encoder.view(content[None]))[0]
    at_coffee, at_rocket = (
        torch.nn.functional.cosine_similarity(
            encoder.embed_images(encoder.view(p))[0] - source, towards, dim=0
        )
        for p in (coffee, rocket)
    )
    assert at_coffee > 0.8 > at_rocket


@pytest.mark.parametrize("early", [False, True])
def test_the_learning_rate_halves_every_hundred_steps_or_one_early(early):
    method = build_tiny(CLIPstyler, mode="reference" if early else "paper", optimizer=adam(1.0))
    method.trainer = trainer = SimpleNamespace(max_steps=200)
    made = method.configure_optimizers()
    optimizer, schedule = made["optimizer"], made["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(201):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    halved = [step for step in range(1, 201) if rates[step] < rates[step - 1]]
    assert halved == ([99, 199] if early else [100, 200])
    assert trainer.max_steps == optimizer.param_groups[0]["steps"]


def test_the_rate_rises_and_falls_in_lines():
    method = build_tiny(CLIPstyler, optimizer=adam(2.0), lr_scheduler=Linear)
    method.trainer = trainer = SimpleNamespace(max_steps=100)
    made = method.configure_optimizers()
    optimizer, schedule = made["optimizer"], made["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert len(rates) == trainer.max_steps
    assert rates[:3] == pytest.approx([0.2, 0.4, 0.6])
    assert rates[9:11] == pytest.approx([2.0] * 2)
    assert rates[55] == pytest.approx(1.0)  # half way down
    assert rates[99] == pytest.approx(2.0 / 90)


@MODES
def test_mode_sets_every_switch_and_each_can_be_set_alone(mode):
    reference = mode == "reference"
    shared = ("tv_norms", "reject_below", "early_halving", "extra_step")
    own = {
        GenerativeArtisan: ("misplaced_weights",),
        SemCS: ("softmax_source", "masked_source", "background_patch_text"),
        Soulstyler: ("no_global",),
    }
    for method, switches in own.items():
        deviations = build_tiny(method, mode=mode).deviations
        assert asdict(deviations) == dict.fromkeys((*shared, *switches), reference)
        for name in (*shared, *switches):
            single = type(deviations)(**{name: not reference})
            built = build_tiny(method, mode=mode, deviations=single).deviations
            assert built == replace(deviations, **{name: not reference})


# Effects, after a few steps.


# Things that the encoder knows, seen plainly: a few steps suffice.
EAGER = {
    "patches": Patches(count=8, distortion=0.0),
    "brush": 0.6,
    "tau": 0.0,
    "optimizer": adam(2e-2),
}


def style_of(picture, style, encoder):
    """Mean cosine of patches of a picture (3, H, W) with a style text."""
    torch.manual_seed(1)
    height, width = picture.shape[1:]
    corner = torch.stack(
        [torch.randint(0, width - 24, (32,)), torch.randint(0, height - 24, (32,))]
    )
    boxes = torch.cat([corner.T, torch.full((32, 1), 24)], dim=1).float()
    with torch.no_grad():
        patches = cut(picture[None], boxes, random_corners(32, 0.0), 24, encoder.image_size)
        return float((encoder.embed_images(patches) @ encoder.embed_texts([style])[0]).mean())


def change(output, content, mask):
    return float((output - content).abs()[:, mask > 0.5].mean())


def test_without_patch_loss_the_style_similarity_falls(content, left):
    def similarity(patch):
        method = build(
            CLIPstyler, generator=Pixels(), **EAGER, weights=WEIGHTS[CLIPstyler] | {"patch": patch}
        )
        output = optimise(method, batch_of(content, [left], "a strawberry"), steps=30)
        return style_of(output, "a strawberry", method.encoder)

    before = style_of(content, "a strawberry", Bridge())
    assert similarity(9000.0) > max(before, similarity(0.0)) + 0.02


def test_a_higher_tau_changes_the_picture_less(content, left):
    # From the photo itself, so that what is not styled stays.
    def changed(tau):
        weights = {"global": 0.0, "patch": 9000.0, "content": 20.0, "tv": 2e-3}
        method = build(CLIPstyler, tau=tau, generator=Pixels(), weights=weights)
        output = optimise(method, batch_of(content, [left], "fire"))
        return change(output, content, torch.ones_like(left))

    assert changed(0.3) > changed(1.0) > changed(2.0)


def test_a_larger_portrait_weight_changes_the_portrait_more(content, left):
    def changed(alpha):
        weights = {"global": 0.0, "patch": 9000.0, "content": 20.0, "tv": 2e-3}
        method = build(
            GenerativeArtisan, generator=Pixels(), alpha_portrait=alpha, tau_portrait=0.3,
            window=1.0, weights=weights,
        )  # fmt: skip
        output = optimise(method, batch_of(content, [1 - left], "fire"))
        return change(output, content, left)

    assert changed(1.0) > changed(0.0)


def test_the_portrait_of_generative_artisan_changes_less_than_clipstylers(content, left):
    portrait = left
    artisan = build(GenerativeArtisan, generator=Pixels(), tau_portrait=0.5, tau_back=0.5)
    spared = optimise(artisan, batch_of(content, [1 - portrait], "fire"))
    styled = optimise(build(CLIPstyler, generator=Pixels()), batch_of(content, [left], "fire"))
    ratio = change(spared, content, portrait) / change(spared, content, 1 - portrait)
    plain = change(styled, content, portrait) / change(styled, content, 1 - portrait)
    assert change(spared, content, portrait) < change(styled, content, portrait)
    assert ratio < plain


def test_swapping_the_texts_of_sem_cs_swaps_the_regions(content, left):
    def leaning(*texts):
        """How much more a half is like strawberry than like broccoli: the left, and the right."""
        method = build(SemCS, generator=Pixels(), **EAGER)
        output = optimise(method, batch_of(content, [left, 1 - left], *texts), steps=40)
        return [
            style_of(half, "a strawberry", method.encoder)
            - style_of(half, "broccoli", method.encoder)
            for half in (output[..., :48], output[..., 48:])
        ]

    straight, swapped = leaning("a strawberry", "broccoli"), leaning("broccoli", "a strawberry")
    assert straight[0] > swapped[0] + 0.03
    assert straight[1] < swapped[1] - 0.03


@pytest.mark.parametrize("method", [Soulstyler, Fusion])
def test_with_an_inverted_mask_the_other_region_changes(method, content, left):
    for mask in (left, 1 - left):
        output = optimise(build(method), batch_of(content, [mask], "fire"), steps=4)
        assert change(output, content, mask) > 0.02
        assert torch.equal(output[:, mask == 0], content[:, mask == 0])


def test_the_mask_of_generative_artisan_is_one_on_the_background(content, left):
    for background in (left, 1 - left):
        method = build(GenerativeArtisan, generator=Pixels(), portrait_share=0.0, window=1.0)
        output = optimise(method, batch_of(content, [background], "fire"), steps=6)
        assert change(output, content, background) > 2 * change(output, content, 1 - background)


def test_anchors_keep_the_background_nearer_to_the_photo(content, left):
    settings = {"likeness": Likeness(far=0.0), "blending": Blending()}
    batch, weights = batch_of(content, [left], "fire"), WEIGHTS[Soulstyler]

    def background_change(weight):
        method = build(Soulstyler, weights=weights | {"background": weight}, **settings)
        return change(optimise(method, batch), content, 1 - left)

    assert background_change(3e4) < background_change(0.0)


# Controls that all methods share.


def test_keep_color_keeps_the_chroma(content, left):
    method = build_tiny(Soulstyler, blending=Blending(keep_color=True))
    output = method(batch_of(content, [left], "fire"))[0].double()
    rgb_to_chroma = np.array([[-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])  # BT.601
    inside = ((output > 0) & (output < 1)).all(0).numpy()  # what the gamut has not clipped
    assert inside.mean() > 0.5
    ours, photos = (
        np.einsum("dc,chw->dhw", rgb_to_chroma, picture.detach().numpy())[:, inside]
        for picture in (output, content.double())
    )
    np.testing.assert_allclose(ours, photos, atol=2e-3)
    assert (output - content).abs().mean() > 0.01


def test_strength_shows_a_share_of_the_change(content, left):
    batch = batch_of(content, [left], "fire")
    method = build_tiny(CLIPstyler)
    full = method.stylize(batch)
    method.blending = Blending(strength=0.25)
    torch.testing.assert_close(
        method.stylize(batch) - batch.content, 0.25 * (full - batch.content), atol=1e-6, rtol=0
    )
    method.blending = Blending(strength=0.0)
    assert torch.equal(method.stylize(batch), batch.content)


def test_composite_joins_all_regions_without_a_seam(content, left):
    soft = torch.linspace(0, 1, 96).expand(64, 96)
    method = build_tiny(Fusion)
    batch = batch_of(content, [soft, 1 - soft], "fire", "ice")
    torch.testing.assert_close(method(batch), method.generator(batch.content))


@pytest.mark.parametrize("shape", [(40, 150), (150, 40), (33, 33)])
@pytest.mark.parametrize("method", WEIGHTS)
def test_every_method_takes_any_aspect_ratio(method, shape):
    torch.manual_seed(0)
    content, style = torch.rand(3, *shape), torch.rand(3, 70, 50)
    masks = torch.ones(1, *shape)
    built = build_tiny(method, style_features=TinyFeatures(), brush=0.5)
    batch = StyleTask.of(content, (StyleTarget("x", "fire"),), masks, style_image=style).batch()
    before = built.stylize(batch)
    after = optimise(built, batch, steps=1)
    assert after.shape == content.shape
    assert after.isfinite().all()
    assert 0 <= after.min() < after.max() <= 1
    assert (after - before).abs().mean() > 1e-4


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"brush": 0.0}, "brush is 0.0"),
        ({"brush": []}, r"brush is \[\]"),
        ({"brush": [0.5, 2.0]}, "relative to the picture's shorter side"),
        ({"weights": {"patch": -1.0}}, "weights must be 0 or more"),
        ({"weights": {"patch": 0.0, "tv": 0.0}}, "at least one greater than 0"),
        ({"weights": {"gram": 1.0}}, "style_features"),
        ({"optimizer": adam(5e-3, betas=(0.9, 1.0))}, "1.0.*check --model.optimizer"),
        ({"lr_scheduler": partial(Halving, every=0)}, "every is 0"),
        ({"lr_scheduler": partial(Linear, rise=1.0)}, "rise is 1"),
        ({"content_every": 0}, "content_every is 0"),
    ],
)
def test_controls_that_make_no_sense_are_refused(settings, sentence):
    with pytest.raises(AtelierError, match=sentence):
        build_tiny(CLIPstyler, **settings)


@pytest.mark.parametrize(
    ("settings", "make"),
    [
        ("strength is 1.5", lambda: Blending(strength=1.5)),
        ("extra_share=-1", lambda: Likeness(extra_share=-1.0)),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_their_groups(settings, make):
    with pytest.raises(AtelierError, match=settings):
        make()


def test_more_regions_than_a_method_takes_are_refused():
    two = [StyleTarget("cat", "fire"), StyleTarget("dog", "ice")]
    blend = [StyleTarget("cat", "fire", 0.5), StyleTarget("cat", "ice", 0.5)]
    for method in (CLIPstyler, GenerativeArtisan, Soulstyler, Gatys):
        with pytest.raises(AtelierError, match="2 are asked for"):
            method.check(two)
        method.check(blend)
    with pytest.raises(AtelierError, match="one object and its background"):
        SemCS.check(two)
    SemCS.check([two[0], StyleTarget(BACKGROUND, "ice")])
    Fusion.check(two)


def test_the_gram_loss_without_a_picture_is_refused(content, left):
    weights = WEIGHTS[CLIPstyler] | {"gram": 1.0}
    method = build_tiny(CLIPstyler, weights=weights, style_features=TinyFeatures())
    with pytest.raises(AtelierError, match="--style-image"):
        method.prepare(batch_of(content, [left], "fire"))


def test_the_methods_page_is_what_the_docstrings_say():
    from experiments.make.methods_page import PAGE, page

    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run: python -m experiments.make.methods_page"
    )
    pictures = re.findall(r"\((pictures/\S+)\)", page())
    assert len(pictures) == 9
    assert all((PAGE.parent / picture).exists() for picture in pictures)
