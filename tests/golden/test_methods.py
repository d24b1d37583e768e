"""Every method against a slow transcription of its formulas.

On a small picture with the real encoder. The transcriptions embed one picture at a time
and compute in float64 with numpy."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from datamodules.images import fit_within, load_picture, to_tensor
from datamodules.task import StyleTarget, StyleTask
from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.fusion import Fusion
from lightning_modules.gatys import Gatys
from lightning_modules.generative_artisan import ArtisanDeviations, GenerativeArtisan
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures
from lightning_modules.sem_cs import SemCS
from lightning_modules.soulstyler import Likeness, Soulstyler
from lightning_modules.steps.blending import Blending
from lightning_modules.steps.directions import embed_prompted
from lightning_modules.steps.patches import cut, draw, random_corners
from lightning_modules.stylization import Features
from tests.support.methods import batch_of, build
from tests.support.modes import MODES


def embed(method, picture):
    """E_I of one picture (3, H, W), as numbers."""
    with torch.no_grad():
        return method.encoder.embed_images(method.viewer.view(picture[None]))[0].double().numpy()


def text_direction(method, style, source="a Photo"):
    raw = method.deviations.raw_text_average
    texts = [embed_prompted(method.encoder, t, raw).double().numpy() for t in (style, source)]
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


def check_background(method, losses, output, content, mode):
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
    check_background(method, losses, output, content, mode)


@MODES
def test_generative_artisan_by_its_formulas(mode, content, left, output):
    settings = {"tau_portrait": 1.14, "tau_back": 1.15, "alpha_portrait": 0.3, "alpha_back": 0.9}
    deviations = ArtisanDeviations(misplaced_weights=False)
    method = build(GenerativeArtisan, mode=mode, deviations=deviations, **settings)
    background = 1 - left  # the portrait is the left half, eq. 22
    batch = batch_of(content, [background], "fire")
    method.prepare(batch)
    boxes, patches = patches_of(method, output, [method.places])
    source, direction = embed(method, content), text_direction(method, "fire")
    total, on_portrait = 0.0, 0
    for (x, y, size), patch in zip(boxes, patches, strict=True):
        strip = int(0.2 * size)
        portrait = bool((left[y + size - strip : y + size, x : x + size] > 0).any())
        on_portrait += portrait
        tau, alpha = (1.14, 0.3) if portrait else (1.15, 0.9)
        total += alpha * rejected(directional(patch, source, direction), tau, mode)
    assert on_portrait == 2  # 20% of 10 at most, and more would have been drawn by chance
    losses = losses_of(method, output, batch)
    assert losses["patch"] == pytest.approx(total / len(boxes), rel=1e-4)
    masked = directional(
        embed(method, output[0] * background), embed(method, content * background), direction
    )
    assert losses["global"] == pytest.approx(masked, rel=1e-4)
    check_background(method, losses, output, content, mode)


def test_misplaced_weights_stay_in_drawing_order_while_patches_are_sorted(content, left, output):
    settings = {"tau_portrait": 0.0, "tau_back": 0.0, "alpha_portrait": 0.3, "alpha_back": 0.9}
    method = build(GenerativeArtisan, mode="reference", **settings)
    assert method.deviations.misplaced_weights
    batch = batch_of(content, [1 - left], "fire")
    method.prepare(batch)
    _, patches = patches_of(method, output, [method.places])
    kinds = method.places.kinds.tolist()
    source, direction = embed(method, content), text_direction(method, "fire")
    each = [directional(patch, source, direction) for patch in patches]
    alphas = [0.3 if portrait else 0.9 for portrait in kinds]
    by_kind = [s for s, k in zip(each, kinds, strict=True) if not k]
    by_kind += [s for s, k in zip(each, kinds, strict=True) if k]
    published = np.mean([a * s for a, s in zip(alphas, by_kind, strict=True)])
    average = np.mean([a * s for a, s in zip(alphas, each, strict=True)])
    assert published != pytest.approx(average, rel=1e-4)
    assert losses_of(method, output, batch)["patch"] == pytest.approx(published, rel=1e-6)
    method.deviations = replace(method.deviations, misplaced_weights=False)
    assert losses_of(method, output, batch)["patch"] == pytest.approx(average, rel=1e-6)


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
        softmax = mode == "reference" and double
        return np.exp(vector) / np.exp(vector).sum() if softmax else vector

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
    check_background(method, losses, output, content, mode)


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
    anchored = [
        box for _, boxes in method.anchors.draw(method.random) for box in boxes.int().tolist()
    ]
    losses = losses_of(method, output, batch)
    assert losses["patch"] == pytest.approx(np.mean(each), rel=1e-4)
    background = 0.0
    for x, y, size in anchored:
        assert float(left[y : y + size, x : x + size].mean()) < 0.1
        a, b = (p[:, y : y + size, x : x + size].double() for p in (output[0], content))
        background += float(((a - b) ** 2).mean())
    assert losses["background"] == pytest.approx(background, rel=1e-4)
    whole = directional(embed(method, output[0]), source, direction)
    assert losses["global"] == pytest.approx(0.0 if mode == "reference" else whole, rel=1e-4)
    check_background(method, losses, output, content, mode)


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
    check_background(method, losses, output, content, mode)


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
