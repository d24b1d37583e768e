"""PatchCLIP loss: every patch follows the style text, those that already do are left alone."""

from __future__ import annotations

import torch
from torch import Tensor


def threshold_rejection(losses: Tensor, tau: float) -> Tensor:
    """R(s, tau) = 0 if s <= tau else s, elementwise (CLIPstyler, eq. 2)."""
    return torch.where(losses <= tau, 0.0, losses)


def patch_loss(losses: Tensor, tau: float) -> Tensor:
    """Mean over the N patches of R(l_i, tau) (CLIPstyler, eq. 2).

    losses: (N,) directional losses of the patches, in [0, 2]. Returns a scalar in [0, 2].
    """
    return threshold_rejection(losses, tau).mean()
