"""Directions in the joint space."""

from functools import partial

import numpy as np
import torch

from datamodules.images import fit_within, load_picture, to_tensor
from lightning_modules.steps.directions import blend_direction, embed_prompted, picture_direction
from tests.support.methods import Bridge


def test_a_blend_is_the_weighted_sum_of_its_directions(content):
    embed = partial(embed_prompted, Bridge())
    source = embed("a Photo")
    mixed = blend_direction(embed, ((0.7, "fire"), (0.3, "ice")), source).double().numpy()
    units = []
    for text in ("fire", "ice"):
        moved = (embed(text) - source).double()
        units.append((moved / moved.norm()).numpy())
    expected = 0.7 * units[0] + 0.3 * units[1]
    np.testing.assert_allclose(mixed, expected / np.linalg.norm(expected), atol=1e-5)
    alone = blend_direction(embed, ((0.2, "fire"),), source)
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
