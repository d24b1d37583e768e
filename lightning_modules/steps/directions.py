"""Styles as directions of the joint space: from the photo's description to the style's."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from datamodules.task import Blend, StyleBatch
from lightning_modules.encoders.base import JointEncoder


@torch.no_grad()
def style_directions(encoder: JointEncoder, batch: StyleBatch) -> Tensor:
    """dT of each region's styles, (K, D), each of length 1.

    A style picture belongs to the first region and counts there as much as all texts together.
    """
    source = embed_prompted(encoder, batch.source_text) if any(batch.styles) else None
    directions = []
    for region, blend in enumerate(batch.styles):
        parts = [blend_direction(encoder, blend, source)] if blend else []
        if region == 0 and batch.style_image is not None:
            parts.append(picture_direction(encoder, batch.style_image, batch.content))
        directions.append(F.normalize(sum(parts), dim=-1))
    return torch.stack(directions)


def blend_direction(encoder: JointEncoder, blend: Blend, source: Tensor) -> Tensor:
    """dT of several style texts on one region: unit(sum of weight_i * dT_i), (D,).

    A weighted sum of directional losses with a common dI is, up to a constant, the loss towards
    this one direction.

    source: embedding (D,) of the photo's description, by `embed_prompted`.
    """
    mixture = sum(weight * text_direction(encoder, style, source) for weight, style in blend)
    return F.normalize(mixture, dim=-1)


def text_direction(encoder: JointEncoder, style: str, source: Tensor) -> Tensor:
    """dT = unit(E_T(style) - E_T(source)), (D,) (CLIPstyler, eq. 1); source: E_T(source), (D,)."""
    return F.normalize(embed_prompted(encoder, style) - source, dim=-1)


@torch.no_grad()
def embed_prompted(encoder: JointEncoder, text: str) -> Tensor:
    """Unit vector (D,) of `text`, averaged over CLIP's 80 ImageNet prompt templates.

    Prompt engineering of CLIP (Radford et al. 2021, section 3.1.4), as all four papers use it.
    """
    from open_clip import OPENAI_IMAGENET_TEMPLATES

    prompts = [template(text) for template in OPENAI_IMAGENET_TEMPLATES]
    return F.normalize(encoder.embed_texts(prompts).mean(0), dim=-1)


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
