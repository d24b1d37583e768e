"""Effects of the settings on a picture within a few steps."""

import pytest
import torch

from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.fusion import Fusion
from lightning_modules.generative_artisan import GenerativeArtisan
from lightning_modules.generators.pixels import Pixels
from lightning_modules.sem_cs import SemCS
from lightning_modules.soulstyler import Likeness, Soulstyler
from lightning_modules.steps.blending import Blending
from lightning_modules.steps.patches import Patches, cut, random_corners
from tests.support.methods import WEIGHTS, Bridge, adam, batch_of, build, optimise

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
        """Likeness to strawberry minus likeness to broccoli, of the left and of the right half."""
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
