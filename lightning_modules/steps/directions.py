"""Styles as directions of the joint space: from the photo's description to the style's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from datamodules.task import Blend, StyleBatch
from lightning_modules.encoders.base import JointEncoder

LEFT_OUT = 1  # index of the ImageNet prompt that the papers do not use, "a photo of many {}."


@torch.no_grad()
def style_directions(encoder: JointEncoder, batch: StyleBatch, raw_average: bool) -> Tensor:
    """dT of each region's styles, (K, D), each of length 1.

    A style picture belongs to the first region and counts there as much as all texts together.

    raw_average: of the prompts' embeddings, as in `embed_prompted`.
    """
    embed = partial(embed_prompted, encoder, raw_average=raw_average)
    source = embed(batch.source_text) if any(batch.styles) else None
    directions = []
    for region, blend in enumerate(batch.styles):
        parts = [blend_direction(embed, blend, source)] if blend else []
        if region == 0 and batch.style_image is not None:
            parts.append(picture_direction(encoder, batch.style_image, batch.content))
        directions.append(F.normalize(sum(parts), dim=-1))
    return torch.stack(directions)


def blend_direction(embed: Callable[[str], Tensor], blend: Blend, source: Tensor) -> Tensor:
    """dT of several style texts on one region: unit(sum of weight_i * dT_i), (D,).

    A weighted sum of directional losses with a common dI is, up to a constant, the loss towards
    this one direction.

    embed: E_T, from a text to a unit vector (D,). source: E_T of the photo's description, (D,).
    """
    mixture = sum(weight * text_direction(embed(style), source) for weight, style in blend)
    return F.normalize(mixture, dim=-1)


def text_direction(style: Tensor, source: Tensor) -> Tensor:
    """dT = unit(E_T(style) - E_T(source)), (D,) (CLIPstyler, eq. 1), from both embeddings (D,)."""
    return F.normalize(style - source, dim=-1)


def templates() -> list[Callable[[str], str]]:
    """The 79 prompts: functions that put a text into a sentence."""
    from open_clip import OPENAI_IMAGENET_TEMPLATES

    return [t for index, t in enumerate(OPENAI_IMAGENET_TEMPLATES) if index != LEFT_OUT]


@torch.no_grad()
def embed_prompted(encoder: JointEncoder, text: str, raw_average: bool = False) -> Tensor:
    """E_T, a unit vector (D,): embedding of `text`, averaged over 79 prompts for ImageNet.

    Prompt engineering of CLIP (Radford et al. 2021, section 3.1.4). Of CLIP's 80 prompts CLIPstyler
    uses 79, as Generative Artisan says ("Prompt Engineering") and all published codes do.

    raw_average: average the embeddings as the network gives them, as in the published codes,
        instead of as unit vectors.
    """
    embed = encoder.text_features if raw_average else encoder.embed_texts
    return F.normalize(embed([template(text) for template in templates()]).mean(0), dim=-1)


@torch.no_grad()
def picture_direction(encoder: JointEncoder, style_image: Tensor, content: Tensor) -> Tensor:
    """unit(E_I(style picture) - E_I(content image)), (D,): a style by a picture instead of words.

    style_image, content: (1, 3, H, W) in [0, 1], of any two sizes. The style picture is encoded
    whole and in its four quarters, so that its texture counts beside its subject.
    """
    halves = [half for rows in style_image.chunk(2, dim=2) for half in rows.chunk(2, dim=3)]
    views = torch.cat([encoder.view(view) for view in (style_image, *halves)])
    style = F.normalize(encoder.embed_images(views).mean(0), dim=-1)
    return F.normalize(style - encoder.embed_images(encoder.view(content))[0], dim=-1)
