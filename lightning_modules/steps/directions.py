"""Styles as directions of the joint space: what changes between the photo and the style."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from datamodules.task import Blend
from lightning_modules.encoders.base import JointEncoder


@torch.no_grad()
def embed_prompted(encoder: JointEncoder, text: str) -> Tensor:
    """Unit vector (D,) of `text`, averaged over CLIP's 80 ImageNet prompt templates.

    Prompt engineering of CLIP (Radford et al. 2021, section 3.1.4), as all four papers use it.
    """
    from open_clip import OPENAI_IMAGENET_TEMPLATES

    prompted = [template(text) for template in OPENAI_IMAGENET_TEMPLATES]
    return F.normalize(encoder.embed_texts(prompted).mean(0), dim=-1)


def blend_direction(encoder: JointEncoder, blend: Blend, source: str) -> Tensor:
    """dT of several style texts on one region: unit(sum of weight_i * dT_i), (D,).

    A weighted sum of directional losses with a common dI is, up to a constant, the loss towards
    this one direction.
    """
    mixed = sum(weight * text_direction(encoder, style, source) for weight, style in blend)
    return F.normalize(mixed, dim=-1)


@torch.no_grad()
def picture_direction(encoder: JointEncoder, style_image: Tensor, content: Tensor) -> Tensor:
    """unit(E_I(style picture) - E_I(content image)), (D,): a style shown instead of told.

    style_image, content: (1, 3, H, W) in [0, 1], of any two sizes. The style picture is seen whole
    and in its four quarters, so that its texture counts beside its subject.
    """
    halves = [half for rows in style_image.chunk(2, dim=2) for half in rows.chunk(2, dim=3)]
    views = torch.cat([encoder.view(view) for view in (style_image, *halves)])
    style = F.normalize(encoder.embed_images(views).mean(0), dim=-1)
    return F.normalize(style - encoder.embed_images(encoder.view(content))[0], dim=-1)


def text_direction(encoder: JointEncoder, style: str, source: str) -> Tensor:
    """dT = unit(E_T(style) - E_T(source)), (D,) (CLIPstyler, eq. 1)."""
    return F.normalize(embed_prompted(encoder, style) - embed_prompted(encoder, source), dim=-1)
