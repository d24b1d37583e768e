"""Texts as directions: what changes between "a Photo" and the style text."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from lightning_modules.encoders.base import JointEncoder


@torch.no_grad()
def embed_prompted(encoder: JointEncoder, text: str) -> Tensor:
    """Unit vector (D,) of `text`, averaged over CLIP's 80 ImageNet prompt templates.

    Prompt engineering of CLIP (Radford et al. 2021, section 3.1.4), as all four papers use it.
    """
    from open_clip import OPENAI_IMAGENET_TEMPLATES

    prompted = [template(text) for template in OPENAI_IMAGENET_TEMPLATES]
    return F.normalize(encoder.embed_texts(prompted).mean(0), dim=-1)


def text_direction(encoder: JointEncoder, style: str, source: str) -> Tensor:
    """dT = unit(E_T(style) - E_T(source)), (D,) (CLIPstyler, eq. 1)."""
    return F.normalize(embed_prompted(encoder, style) - embed_prompted(encoder, source), dim=-1)
